import { z } from "@hono/zod-openapi";
import { ImmuneError } from "../../common/config/errors.ts";
import type { TrustView } from "../fleet/mod.ts";
import { CLIENT_DAYS_MAX } from "../trust/dates.ts";
import type { ApiContext } from "./context.ts";
import { REVOKED_AT_ONCE_MAX } from "./bounds.ts";
import { revokeRequest } from "./trust_schemas.ts";
import { type Asking, type Heard, trustAct } from "./two_person.ts";

/** Agents that are to be revoked. */
interface Revocation {
  readonly agents: readonly string[];
}

/** What came of it. */
interface Revoked {
  readonly revoked: readonly string[];
  readonly unknown: readonly string[];
}

type Does<P, R> = (asking: Asking<P>) => Promise<Heard<R>>;

/**
 * The act that revokes agents.
 *
 * @param api Where they are.
 */
export function revocation(api: ApiContext): Does<Revocation, Revoked> {
  return trustAct<Revocation, Revoked>(api, {
    action: "agent.revoke",
    setting: "agent.revoke",
    needs: ["revoke", "agents"],
    payload: revokeRequest.omit({ reason: true }),
    isRepeatable: true,
    object: ({ agents }) => agents.length === 1 ? agents.join() : `${agents.length} agents`,
    objects: ({ agents }) => agents,
    detail: ({ agents }) => agents.length === 1 ? {} : { agents: agents.join(" ") },
    check: ({ agents }) => checkAgents(api, agents),
    standing: ({ agents }) => agentStandings(api, agents),
    run: async ({ agents }) => {
      const revoked = await api.store.revokeAgents(agents);
      const known = new Set(revoked);
      return { revoked, unknown: agents.filter((agent) => !known.has(agent)) };
    },
  });
}

/**
 * The act that puts a new authority in the place of the old.
 *
 * @param api Where it is.
 */
export function authorityRotation(
  api: ApiContext,
): Does<{ readonly overlapDays: number }, TrustView> {
  return trustAct<{ readonly overlapDays: number }, TrustView>(api, {
    action: "authority.rotate",
    setting: "authority.rotate",
    needs: ["change", "ca"],
    payload: z.strictObject({ overlapDays: z.number().min(0).max(CLIENT_DAYS_MAX) }),
    object: () => "authority",
    detail: ({ overlapDays }) => ({ overlap_days: overlapDays }),
    standing: () => Promise.resolve(trustOf(api).view().authorities[0]?.fingerprint ?? ""),
    run: async ({ overlapDays }) => {
      const trust = trustOf(api);
      await trust.rotateAuthority(overlapDays);
      return trust.view();
    },
  });
}

/**
 * The act that shows agents the successor of the server's certificate.
 *
 * @param api Where it is.
 */
export function serverRotation(api: ApiContext): Does<{ readonly force: boolean }, TrustView> {
  return trustAct<{ readonly force: boolean }, TrustView>(api, {
    action: "server.rotate",
    setting: "server.rotate",
    needs: ["change", "ca"],
    payload: z.strictObject({ force: z.boolean() }),
    object: () => "server certificate",
    detail: ({ force }) => ({ force }),
    standing: () => Promise.resolve(trustOf(api).view().server.fingerprint),
    run: async ({ force }) => {
      const trust = trustOf(api);
      await trust.rotateServer(force);
      return trust.view();
    },
  });
}

/**
 * The hive's certificates.
 *
 * @param api Where they are.
 * @throws {ImmuneError} `NOT_FOUND` for a hive without any.
 */
export function trustOf({ trust }: ApiContext): NonNullable<ApiContext["trust"]> {
  if (trust !== undefined) return trust;
  throw new ImmuneError("NOT_FOUND", "Cannot find certificates: this hive takes no agents");
}

/**
 * Refuses agents that there are not: nobody is asked to approve what would come to nothing.
 *
 * @param api Where they are.
 * @param asked Their ids.
 * @throws {ImmuneError} `NOT_FOUND`.
 */
export async function checkAgents({ store }: ApiContext, asked: readonly string[]): Promise<void> {
  const known = new Set((await store.agents()).map(({ id }) => id));
  const unknown = asked.find((id) => !known.has(id));
  if (unknown === undefined) return;
  throw new ImmuneError(
    "NOT_FOUND",
    `Cannot find agent "${unknown}": nothing is asked for, of the others neither`,
  );
}

/** Which of the agents there are, and which are revoked, in a few characters. */
async function agentStandings({ store }: ApiContext, asked: readonly string[]): Promise<string> {
  const known = new Map((await store.agents()).map(({ id, revoked }) => [id, revoked ? "r" : "a"]));
  return asked.slice(0, REVOKED_AT_ONCE_MAX).map((id) => known.get(id) ?? "u").join("");
}
