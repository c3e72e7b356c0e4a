import { kindName } from "../../common/record/mod.ts";
import {
  lossCause,
  type MissedRuns,
  OUTCOMES,
  type Tally,
  TIER_COUNTS,
  type TierTally,
} from "../../common/wire/mod.ts";
import type { AgentLedger, AgentRow, Store } from "../store/store.ts";

/**
 * An agent counts as online for this long after its last batch, in milliseconds: an agent sends
 * one every 15 s at least.
 */
export const AGENT_ONLINE_MS = 120_000;

/** What an agent made, and where it went: made = stored + lost. */
export interface LedgerView {
  /** Highest journal position stored. */
  readonly position: number;
  readonly made: number;
  readonly stored: number;
  readonly lost: number;
  /** False when a cause is known only as a lower bound: `made` and `lost` are at least that. */
  readonly certain: boolean;
  readonly losses: readonly {
    readonly cause: string;
    readonly count: number;
    readonly certain: boolean;
  }[];
}

/** What a sensor counted of one kind of events: seen = the sum of the others. */
export interface TallyView extends Omit<Tally, "kind"> {
  /** Name of the kind; `other` for those that this version does not know. */
  readonly kind: string;
}

/** What a tier of enforcement did. */
export interface TierView extends TierTally {
  /** Hosts on which it is in force, as they last said. */
  readonly hosts: number;
}

/** What a sensor counted. */
export interface SensorView {
  readonly kinds: readonly TallyView[];
  /** Programs of it that the kernel left out at times, as they ran on that CPU already. */
  readonly missed: readonly MissedRuns[];
  /** Tiers of enforcement that are, or were, in force. */
  readonly tiers: readonly TierView[];
}

/** An agent with its ledger. */
export interface AgentView extends AgentRow {
  readonly online: boolean;
  readonly ledger: LedgerView;
  readonly sensor: SensorView;
}

/**
 * All agents with their ledgers.
 *
 * @param store Where they are.
 * @param nowMs Unix time in milliseconds.
 * @returns Agents by host name.
 */
export async function agentViews(store: Store, nowMs: number): Promise<readonly AgentView[]> {
  const [agents, ledgers] = await Promise.all([store.agents(), store.ledgers()]);
  const byAgent = new Map(ledgers.map((ledger) => [ledger.agentId, ledger]));
  return agents
    .map((agent) => ({
      ...agent,
      online: isOnline(agent, nowMs),
      ledger: ledgerView(byAgent.get(agent.id)),
      sensor: sensorView(byAgent.get(agent.id), agent),
    }))
    .sort((a, b) => a.hostName.localeCompare(b.hostName) || a.id.localeCompare(b.id));
}

/**
 * How many rules are in force.
 *
 * @param agents All agents.
 * @returns Rules of the agent online that has most; `null` when none has said.
 */
export function activePatterns(agents: readonly AgentView[]): number | null {
  const known = agents.filter(({ online }) => online).flatMap(({ rules }) => rules ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * What the sensors of all agents counted together.
 *
 * @param agents All agents.
 */
export function fleetSensor(agents: readonly AgentView[]): SensorView {
  const kinds = new Map<string, TallyView>();
  const missed = new Map<string, number>();
  const tiers = new Map<string, TierView>();
  for (const { sensor } of agents) {
    for (const row of sensor.kinds) {
      const known = kinds.get(row.kind);
      kinds.set(row.kind, known === undefined ? row : added(known, row));
    }
    for (const { program, count } of sensor.missed) {
      missed.set(program, (missed.get(program) ?? 0) + count);
    }
    for (const row of sensor.tiers) {
      const known = tiers.get(row.tier);
      tiers.set(row.tier, known === undefined ? row : addedTier(known, row));
    }
  }
  return {
    kinds: [...kinds.values()],
    missed: [...missed].map(([program, count]) => ({ program, count })),
    tiers: [...tiers.values()],
  };
}

function addedTier(a: TierView, b: TierView): TierView {
  const counts = TIER_COUNTS.map((name) => [name, a[name] + b[name]]);
  return { ...a, hosts: a.hosts + b.hosts, ...Object.fromEntries(counts) };
}

function added(a: TallyView, b: TallyView): TallyView {
  const counts = OUTCOMES.map((outcome) => [outcome, a[outcome] + b[outcome]]);
  return { ...a, seen: a.seen + b.seen, ...Object.fromEntries(counts) };
}

function sensorView(ledger: AgentLedger | undefined, { revoked }: AgentRow): SensorView {
  const { tallies = [], missed = [], tiers = [] } = ledger?.sensor ?? {};
  return {
    kinds: tallies.map((row) => ({ ...row, kind: kindName(row.kind) ?? "other" })),
    missed,
    tiers: tiers.map(({ inForce, ...row }) => ({ ...row, hosts: inForce && !revoked ? 1 : 0 })),
  };
}

function isOnline(agent: AgentRow, nowMs: number): boolean {
  if (agent.revoked || agent.lastSeenAt === null) return false;
  return nowMs - Date.parse(agent.lastSeenAt) < AGENT_ONLINE_MS;
}

function ledgerView(ledger: AgentLedger | undefined): LedgerView {
  const { position = 0, stored = 0, losses = [] } = ledger ?? {};
  const lost = losses.reduce((sum, { count }) => sum + count, 0);
  return {
    position,
    made: stored + lost,
    stored,
    lost,
    certain: losses.every(({ certain }) => certain),
    losses: losses.map(({ cause, count, certain }) => ({
      cause: lossCause(cause) ?? `cause_${cause}`,
      count,
      certain,
    })),
  };
}
