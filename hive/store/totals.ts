import type { DatabaseSync } from "node:sqlite";
import { lossCause } from "../../common/wire/mod.ts";
import { byAgent, integer, text } from "./rows.ts";
import { type AgentLedger, MINUTES_MAX, type StoreStats } from "./store.ts";
import { readTallies } from "./tallies.ts";
import { readTiers } from "./tier_rows.ts";

const MINUTE_MS = 60_000;

/**
 * The ledger of every agent, in the order of their enrolment.
 *
 * @param database Open, of this version's schema.
 */
export function readLedgers(database: DatabaseSync): readonly AgentLedger[] {
  const lossRows = database.prepare("SELECT agent, cause, certain, count FROM losses").all();
  const losses = byAgent(lossRows, (row) => ({
    cause: integer(row, "cause"),
    count: integer(row, "count"),
    certain: integer(row, "certain") !== 0,
  }));
  const talliesOf = readTallies(database);
  const tiers = readTiers(database);
  return database.prepare(
    `SELECT number, id, stored, coalesce((
      SELECT position FROM journals WHERE agent = agents.number ORDER BY number DESC LIMIT 1
    ), 0) AS position FROM agents ORDER BY number`,
  ).all().map((row) => {
    const agent = integer(row, "number");
    return {
      agentId: text(row, "id"),
      position: integer(row, "position"),
      stored: integer(row, "stored"),
      losses: losses.get(agent) ?? [],
      sensor: { ...talliesOf(agent), tiers: tiers.get(agent) ?? [] },
    };
  });
}

/**
 * Totals over all agents that need no more than a few rows.
 *
 * @param database Open, of this version's schema.
 * @param nowMs Unix time in milliseconds.
 */
export function readTotals(
  database: DatabaseSync,
  nowMs: number,
): Pick<StoreStats, "agents" | "records" | "events" | "eventsByMinute" | "lossesByCause"> {
  const totals = database.prepare(
    `SELECT count(*) AS agents, coalesce(sum(stored), 0) AS records,
      coalesce(sum(events), 0) AS events FROM agents`,
  ).get();
  const thisMinute = nowMs - nowMs % MINUTE_MS;
  const minutes = database.prepare(
    "SELECT minute_ms, events FROM minutes WHERE minute_ms >= ? AND minute_ms < ? ORDER BY 1",
  ).all(thisMinute - MINUTES_MAX * MINUTE_MS, thisMinute);
  const lossesByCause: Record<string, number> = {};
  // Summed here: a sum in SQL could leave what a number holds exactly, and then not be read.
  for (const row of database.prepare("SELECT cause, count FROM losses").all()) {
    const cause = integer(row, "cause");
    const name = lossCause(cause) ?? `cause_${cause}`;
    lossesByCause[name] = (lossesByCause[name] ?? 0) + integer(row, "count");
  }
  return {
    agents: integer(totals, "agents"),
    records: integer(totals, "records"),
    events: integer(totals, "events"),
    eventsByMinute: minutes.map((row) => ({
      minuteMs: integer(row, "minute_ms"),
      events: integer(row, "events"),
    })),
    lossesByCause,
  };
}
