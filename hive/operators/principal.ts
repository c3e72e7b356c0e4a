import type { AuditActor } from "../../common/audit/mod.ts";
import type { Role } from "./role.ts";

/** A person's account, as far as others need to know it. */
export interface Person {
  /** UUID. */
  readonly id: string;
  readonly name: string;
}

/** Who asks. */
export type Principal =
  | { readonly kind: "anonymous" }
  /** Holder of the state folder's operator token: whoever owns the host. */
  | { readonly kind: "token" }
  /** A program that a person gave a token. */
  | {
    readonly kind: "api_token";
    /** Of the token. */
    readonly id: string;
    readonly person: Person;
    readonly role: Role;
  }
  /** A browser that signed in; without a person by the host owner's login link. */
  | {
    readonly kind: "session";
    readonly person?: Person;
    readonly role: Role;
    /** True for a while after its start: only then it may change what its account signs in with. */
    readonly isFresh: boolean;
  };

/**
 * What a principal may at most.
 *
 * @param principal Who.
 * @returns Its role; `undefined` for nobody.
 */
export function roleOf(principal: Principal): Role | undefined {
  if (principal.kind === "anonymous") return undefined;
  return principal.kind === "token" ? "admin" : principal.role;
}

/**
 * The person behind a principal.
 *
 * @param principal Who.
 * @returns The person, `undefined` when no account stands behind it.
 */
export function personOf(principal: Principal): Person | undefined {
  return "person" in principal ? principal.person : undefined;
}

/**
 * A principal as the audit log names it.
 *
 * @param principal Who.
 */
export function actorOf(principal: Principal): AuditActor {
  const person = personOf(principal);
  if (principal.kind === "api_token") {
    return { kind: "program", id: principal.person.id, name: principal.person.name };
  }
  if (person !== undefined) return { kind: "person", id: person.id, name: person.name };
  if (principal.kind === "anonymous") return { kind: "anonymous", id: "anonymous" };
  return principal.kind === "token"
    ? { kind: "program", id: "host", name: "operator token" }
    : { kind: "person", id: "host", name: "owner of the host" };
}
