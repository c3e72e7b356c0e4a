import { lossCause } from "../../common/wire/mod.ts";
import type { AgentLedger, AgentRow, Store } from "../store/store.ts";
import { type SensorView, sensorView } from "./sensor_view.ts";

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
