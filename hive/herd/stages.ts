import { createHash } from "node:crypto";
import { antibodyRuleId } from "../../common/herd/antibody.ts";
import type { AntibodyRow, HerdLedger, Member, Stage } from "./ledger.ts";
import type { HerdLimits } from "./limits.ts";
import { isHeard } from "./standing.ts";

/** Stages in which hosts have an antibody. */
export const STAGES_IN_FORCE: ReadonlySet<Stage> = new Set<Stage>(["canary", "all"]);
/** Stages in which an antibody takes up one of the places. */
export const STAGES_OPEN: ReadonlySet<Stage> = new Set<Stage>(["proposed", "canary", "all"]);

/** What decides on the next stage. */
export interface StageFacts {
  readonly ledger: HerdLedger;
  readonly limits: HerdLimits;
  readonly nowMs: number;
}

/**
 * The hosts that have an antibody first: a share of those that are heard, chosen anew for each.
 *
 * @param row The antibody; when it was published is part of the choice, so that who proposes it
 * cannot choose.
 * @param options Members and bounds.
 * @returns Their agents' ids.
 */
export function canaryAgents(
  { antibody, stageMs }: AntibodyRow,
  { members, limits }: { readonly members: readonly Member[]; readonly limits: HerdLimits },
): ReadonlySet<string> {
  const heard = members.filter(isHeard);
  const count = Math.ceil(heard.length * limits.canaryShare);
  const placed = heard.map(({ agentId }) => ({
    agentId,
    place: createHash("sha256").update(`${antibody.id}\0${stageMs}\0${agentId}`).digest("hex"),
  }));
  placed.sort((a, b) => a.place < b.place ? -1 : 1);
  return new Set(placed.slice(0, count).map(({ agentId }) => agentId));
}

/**
 * The stage that an antibody goes to by itself.
 *
 * @param row Where it is.
 * @param facts State, bounds and time.
 * @returns The next stage with its reason, or `undefined` when it stays.
 */
export function nextStage(
  row: AntibodyRow,
  { ledger, limits, nowMs }: StageFacts,
): { readonly stage: Stage; readonly why: string } | undefined {
  const { antibody, stage, stageMs } = row;
  if (!STAGES_OPEN.has(stage)) return undefined;
  if (antibody.expiresMs <= nowMs) return { stage: "expired", why: "" };
  if (!STAGES_IN_FORCE.has(stage)) return undefined;
  const brake = brakeOn(row, { ledger, limits });
  if (brake !== undefined) return { stage: "pulled", why: brake };
  const isSeasoned = stage === "canary" && nowMs - stageMs >= limits.canaryMs;
  return isSeasoned ? { stage: "all", why: "" } : undefined;
}

/**
 * Hosts that an antibody was born on: those whose alerts show it.
 *
 * @param row The antibody.
 * @param ledger Where alerts and votes are.
 */
export function bornOn({ antibody }: AntibodyRow, ledger: HerdLedger): ReadonlySet<string> {
  const votes = ledger.votes(antibody.id).filter(({ isFor }) => isFor);
  return new Set([
    ...antibody.evidence.flatMap((alertId) => ledger.evidence(alertId)?.hostId ?? []),
    ...votes.map(({ hostId }) => hostId),
  ]);
}

/**
 * Why the false-positive brake pulls an antibody back. It counts hosts since the antibody was made,
 * not matches a minute, so that slow ones add up too. Of the canary hosts one is enough. Hosts that
 * it was born on do not count, nor do suspects; an analyst who confirmed it takes the brake off.
 */
function brakeOn(
  row: AntibodyRow,
  { ledger, limits }: Pick<StageFacts, "ledger" | "limits">,
): string | undefined {
  if (row.confirmed) return undefined;
  const { id, madeMs } = row.antibody;
  const matched = new Set(ledger.hostsMatched(antibodyRuleId(id), madeMs));
  // Most match nothing: they cost one look-up.
  if (matched.size === 0) return undefined;
  const members = ledger.members();
  const canaries = row.stage === "canary" ? canaryAgents(row, { members, limits }) : undefined;
  const having = members.filter((member) =>
    isHeard(member) && (canaries === undefined || canaries.has(member.agentId))
  );
  const born = bornOn(row, ledger);
  const hit = having.filter(({ hostId }) => matched.has(hostId) && !born.has(hostId)).length;
  const fewest = canaries === undefined ? limits.brakeHosts : 1;
  return hit >= fewest && hit >= having.length * limits.brakeShare
    ? `${hit} of ${having.length} hosts that it was not born on match it`
    : undefined;
}
