import type { Member, Word } from "./ledger.ts";
import type { HerdLimits } from "./limits.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What an agent is to the herd. */
export type StandingState = "newcomer" | "member" | "suspect" | "blacklisted";

/** An agent's standing at one moment. */
export interface Standing {
  readonly agentId: string;
  /** 0 to 1. */
  readonly trust: number;
  /** Distinct vouchers whose word holds. */
  readonly vouchers: number;
  readonly genesis: boolean;
  readonly state: StandingState;
  /** Whether it counts: in a quorum, as a voucher, as a reporter. */
  readonly counts: boolean;
}

/**
 * Trust after some time: it moves towards where it was at joining, and never past it.
 *
 * @param member Trust and when that was. A clock that was set back changes nothing.
 * @param at `nowMs`: Unix time in milliseconds; `limits`: the bounds.
 * @returns 0 to 1.
 */
export function trustNow(
  { trust, trustAtMs }: Pick<Member, "trust" | "trustAtMs">,
  { nowMs, limits }: { readonly nowMs: number; readonly limits: HerdLimits },
): number {
  const step = limits.driftPerDay * Math.max(0, nowMs - trustAtMs) / DAY_MS;
  const home = limits.trustAtJoining;
  return clamp(trust > home ? Math.max(home, trust - step) : Math.min(home, trust + step));
}

/**
 * The same with something added or taken.
 *
 * @param member Trust and when that was.
 * @param by What to add, negative to take, at `nowMs`.
 * @returns The member with its new trust.
 */
export function moved(
  member: Member,
  by: { readonly gain: number; readonly nowMs: number; readonly limits: HerdLimits },
): Member {
  const trust = clamp(trustNow(member, by) + by.gain);
  // A time that was once counted does not count again when the clock was set back.
  return { ...member, trust, trustAtMs: Math.max(member.trustAtMs, by.nowMs) };
}

/** What a standing is judged by. */
export interface StandingFacts {
  readonly member: Member;
  /** Words for it. */
  readonly vouches: readonly Word[];
  /** Whether the word of a voucher still holds: it is neither suspect, blacklisted nor revoked. */
  readonly holds: (voucherId: string) => boolean;
  readonly nowMs: number;
  readonly limits: HerdLimits;
}

/**
 * An agent's standing.
 *
 * @param facts What is known of it.
 */
export function standingOf({ member, vouches, holds, nowMs, limits }: StandingFacts): Standing {
  const trust = trustNow(member, { nowMs, limits });
  const vouchers = new Set(
    vouches.filter(({ by, atMs }) => nowMs - atMs < limits.vouchLifetimeMs && holds(by))
      .map(({ by }) => by),
  ).size;
  const state = stateOf(member, { vouchers, limits });
  return {
    agentId: member.agentId,
    trust,
    vouchers,
    genesis: member.genesis,
    state,
    counts: state === "member" && trust >= limits.quorumTrust,
  };
}

/**
 * Whether a member's word is heard at all.
 *
 * @param member Any member.
 */
export function isHeard({ revoked, suspectMs, blacklistedMs }: Member): boolean {
  return !revoked && suspectMs === null && blacklistedMs === null;
}

function stateOf(
  member: Member,
  { vouchers, limits }: { readonly vouchers: number; readonly limits: HerdLimits },
): StandingState {
  if (member.blacklistedMs !== null || member.revoked) return "blacklisted";
  if (member.suspectMs !== null) return "suspect";
  return member.genesis || vouchers >= limits.vouchersNeeded ? "member" : "newcomer";
}

function clamp(trust: number): number {
  return Math.min(1, Math.max(0, trust));
}
