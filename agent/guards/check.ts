import { ANTIBODY_LIFETIME_MS_MAX } from "../../common/herd/antibody.ts";
import { verifySignature } from "../../common/keys/ed25519.ts";
import {
  type Directive,
  type DirectiveKind,
  type DirectiveStream,
  EVERY_HOST,
  readDirective,
} from "../../common/wire/mod.ts";
import type { RefusalCause } from "../../common/wire/directive_result.ts";

/** How far a directive may have been issued ahead of this host's clock, in milliseconds. */
export const CLOCK_AHEAD_MAX_MS = 30_000;
/** Longest that a directive may hold, in milliseconds. */
export const VALIDITY_MAX_MS = 7 * 24 * 3600 * 1000;

/** Longest that a change of keys may hold, in milliseconds: hosts may be away for long. */
export const KEYS_VALIDITY_MAX_MS = 400 * 24 * 3600 * 1000;

/**
 * Longest that antibodies may be on their way, in milliseconds: no antibody holds for longer, so a
 * host that was away has nothing left that an order could take back.
 */
export const ANTIBODIES_VALIDITY_MAX_MS = ANTIBODY_LIFETIME_MS_MAX;
/** By kind, where it is longer. */
const VALIDITY_MS: Partial<Record<DirectiveKind, number>> = {
  keys: KEYS_VALIDITY_MAX_MS,
  antibodies: ANTIBODIES_VALIDITY_MAX_MS,
};

/** What a directive is held against. */
export interface CheckFacts {
  /** This host's fleet, 32 hexadecimal digits. */
  readonly fleet: string;
  readonly hostId: string;
  /** Public halves, 64 hexadecimal digits each. */
  readonly keys: { readonly directive: string; readonly stop: string | null };
  /** Highest number that was accepted of each stream; 0 = none. */
  readonly highest: Readonly<Record<DirectiveStream, number>>;
  /** Kinds that this host's configuration refuses. */
  readonly refuse: ReadonlySet<DirectiveKind>;
  /** Numbers of a stream that are known to have come, to tell a repetition from a late one. */
  readonly seen: (stream: DirectiveStream, number: number) => boolean;
  /** The nonce that this host asked a canary with; `undefined` = it waits for none. */
  readonly nonce: string | undefined;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

/** What a check comes to. */
export type Checked =
  | { readonly ok: true; readonly directive: Directive; readonly stream: DirectiveStream }
  | {
    readonly ok: false;
    readonly cause: RefusalCause;
    /** For people. */
    readonly why: string;
    /** What it says, when its signature holds: nothing else is worth telling. */
    readonly directive?: Directive;
  };

/**
 * Holds a directive against everything that it has to satisfy. A canary is not held against the
 * clock: it is fresh when it answers this host's nonce, whatever any clock says.
 *
 * @param bytes As they came.
 * @param facts What counts on this host now.
 * @returns The directive, or the first thing that is wrong with it.
 */
export async function checkDirective(bytes: Uint8Array, facts: CheckFacts): Promise<Checked> {
  const read = readDirective(bytes);
  if ("cause" in read) return { ok: false, ...read };
  const { directive, stream, signed, signature } = read;
  if (directive.fleet !== facts.fleet) {
    return refused("wrong_fleet", `it is for fleet "${directive.fleet}"`);
  }
  if (directive.target !== EVERY_HOST && directive.target !== facts.hostId) {
    return refused("wrong_host", `it is for host "${directive.target}"`);
  }
  if (signature.every((byte) => byte === 0)) return refused("unsigned", "it is not signed");
  const key = stream === "stop" ? facts.keys.stop : facts.keys.directive;
  if (key === null) return refused("bad_signature", "this host knows no stop key");
  const publicKey = Uint8Array.fromHex(key);
  if (!await verifySignature(publicKey, { purpose: stream, bytes: signed, signature })) {
    return refused("bad_signature", `its signature is not the ${stream} key's`);
  }
  const wrong = stream === "canary"
    ? wrongCanary(directive, facts)
    : wrongTime(directive, facts.nowMs) ?? wrongNumber(directive, { stream, facts });
  if (wrong !== undefined) return { ...wrong, directive };
  if (facts.refuse.has(directive.kind)) {
    return { ...refused("local_policy", `this host refuses "${directive.kind}"`), directive };
  }
  return { ok: true, directive, stream };
}

type Refused = Extract<Checked, { ok: false }>;

function refused(cause: RefusalCause, why: string): Refused {
  return { ok: false, cause, why };
}

function wrongTime(
  { kind, issuedMs, expiresMs }: Directive,
  nowMs: number,
): Refused | undefined {
  const validityMaxMs = VALIDITY_MS[kind] ?? VALIDITY_MAX_MS;
  if (issuedMs > nowMs + CLOCK_AHEAD_MAX_MS) {
    return refused("not_yet_valid", `it is ${issuedMs - nowMs} ms ahead of this host's clock`);
  }
  if (expiresMs <= nowMs || expiresMs - issuedMs > validityMaxMs) {
    return refused("expired", `it held until ${dateText(expiresMs)}`);
  }
  return undefined;
}

function wrongNumber(
  { number }: Directive,
  { stream, facts }: { readonly stream: DirectiveStream; readonly facts: CheckFacts },
): Refused | undefined {
  const highest = facts.highest[stream];
  if (number > highest) return undefined;
  const why = `its number is ${number}, and ${highest} was accepted`;
  return refused(number === highest || facts.seen(stream, number) ? "replay" : "reorder", why);
}

/**
 * One that was pushed counts up; one that answers the nonce is fresh by that alone: pushed ones may
 * come before it or behind.
 */
function wrongCanary(directive: Directive, facts: CheckFacts): Refused | undefined {
  if (directive.kind !== "canary") return refused("unknown_kind", "it is no canary");
  const { number, body: { nonce } } = directive;
  if (nonce !== null) {
    return nonce === facts.nonce ? undefined : refused("replay", "nobody asked for it");
  }
  return number > facts.highest.canary ? undefined : refused("replay", "its number is old");
}

function dateText(unixMs: number): string {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? String(unixMs) : date.toISOString();
}
