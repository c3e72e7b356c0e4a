import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { type BatchInfo, decodeBatch, type Loss } from "../../common/wire/mod.ts";
import { AlertRows } from "./alerts.ts";
import { pack } from "./codec.ts";
import { type Extract, extract } from "./extract.ts";
import { accountForGap, isGapCause, type Passed } from "./gap.ts";
import { HealthRows } from "./health.ts";
import { TallyRows } from "./tallies.ts";
import { TierRows } from "./tier_rows.ts";
import { integer, text } from "./rows.ts";
import { type Block, MINUTES_MAX, type Stored } from "./store.ts";

const MINUTE_MS = 60_000;
const NS_PER_MS = 1_000_000n;

/** What was turned away since the store was opened. */
export interface AppendCounters {
  repeated: number;
  gaps: number;
  alerts: number;
}

interface Place {
  /** The agent's row. */
  readonly agent: number;
  /** The journal's row; `undefined` for one that is new. */
  readonly journal: number | undefined;
  /** Last position that is stored or passed over; 0 = none. */
  readonly position: number;
}

interface Accepted {
  readonly place: Place;
  readonly info: BatchInfo;
  readonly extract: Extract;
  /** First position that is new. */
  readonly from: number;
  readonly last: number;
  readonly passed: readonly Passed[];
}

/** Writes batches. The caller holds the transaction. */
export class Appender {
  /** What was turned away. */
  readonly counters: AppendCounters = { repeated: 0, gaps: 0, alerts: 0 };
  readonly #clock: Clock;
  readonly #alerts: AlertRows;
  readonly #healths: HealthRows;
  readonly #tallies: TallyRows;
  readonly #tiers: TierRows;
  readonly #sql: ReturnType<typeof statements>;

  /**
   * @param database Open, of this version's schema.
   * @param options `clock`: time of arrival.
   */
  constructor(database: DatabaseSync, { clock }: { readonly clock: Clock }) {
    this.#clock = clock;
    this.#alerts = new AlertRows(database);
    this.#healths = new HealthRows(database);
    this.#tallies = new TallyRows(database);
    this.#tiers = new TierRows(database);
    this.#sql = statements(database);
  }

  /**
   * Looks at a batch and writes what is new of it. Nothing is written before all of it was found
   * good.
   *
   * @param block The batch and whose it is.
   * @throws {ImmuneError} as `Store.append`.
   */
  append({ agentId, bytes }: Block): Stored {
    const { info, records } = decodeBatch(bytes);
    const place = this.#place(agentId, info);
    const last = info.first + info.recordCount - 1;
    const skip = Math.max(0, place.position + 1 - info.first);
    if (last <= place.position) {
      this.counters.repeated += info.recordCount;
      return { outcome: "stored", position: place.position, stored: 0 };
    }
    const gap = { first: place.position + 1, last: info.first - 1 };
    const passed = accountForGap(gap, info.losses);
    if (passed === undefined) {
      this.counters.gaps++;
      return { outcome: "gap", expected: gap.first };
    }
    const found = extract(records, { skip, hostId: info.hostId });
    this.counters.repeated += skip;
    this.counters.alerts += found.alertsTurnedAway;
    const from = info.first + skip;
    this.#write({ place, info, extract: found, from, last, passed }, bytes);
    return { outcome: "stored", position: last, stored: last - from + 1 };
  }

  #place(agentId: string, { hostId, journalId }: BatchInfo): Place {
    const agent = this.#sql.agent.get(agentId);
    if (agent === undefined || text(agent, "host_id") !== hostId) {
      const whose = agent === undefined ? "no such agent is enrolled" : `it is of host "${hostId}"`;
      throw new ImmuneError("AGENT_MISMATCH", `Cannot store batch of agent "${agentId}": ${whose}`);
    }
    if (integer(agent, "revoked") !== 0) {
      const message = `Cannot store batch of agent "${agentId}": its certificate is revoked`;
      throw new ImmuneError("CERTIFICATE_REFUSED", message);
    }
    const number = integer(agent, "number");
    const journal = this.#sql.journal.get(number, journalId);
    if (journal === undefined) return { agent: number, journal: undefined, position: 0 };
    return {
      agent: number,
      journal: integer(journal, "number"),
      position: integer(journal, "position"),
    };
  }

  #write(accepted: Accepted, bytes: Uint8Array): void {
    const { place, info, extract: found, from, last } = accepted;
    const { agent } = place;
    const now = this.#clock.nowMs();
    const journal = place.journal ??
      Number(this.#sql.addJournal.run(agent, info.journalId, 0).lastInsertRowid);
    this.#sql.movePosition.run(last, journal);
    this.#sql.countStored.run(last - from + 1, found.events, now, agent);
    const block = Number(
      this.#sql.addBlock.run(
        agent,
        journal,
        info.first,
        from,
        last,
        unixMs(found.firstNs, info),
        unixMs(found.lastNs, info),
        found.kernelKinds,
        found.userKinds,
        info.hostId,
        info.bootId,
        info.epoch,
        bytes.length,
      ).lastInsertRowid,
    );
    const packed = pack(bytes);
    this.#sql.addBytes.run(block, packed.codec, packed.bytes);
    for (const alert of found.alerts) this.#alerts.add(alert, { block });
    for (const health of found.healths) {
      this.#healths.add(health, { agent });
      this.#tallies.add(health, { agent });
      this.#tiers.add(health.tiers, { agent });
    }
    this.#countLosses(accepted);
    if (found.events > 0) this.#rollUp(now - now % MINUTE_MS, found.events);
  }

  /** Each loss once: with the gap that it accounts for, or with its batch's first record. */
  #countLosses({ place: { agent }, info, from, passed }: Accepted): void {
    for (const { cause, count } of passed) this.#sql.addLoss.run(agent, cause, 1, count);
    if (from > info.first) return;
    for (const loss of info.losses.filter((each) => !isGapCause(each))) this.#addLoss(agent, loss);
  }

  #addLoss(agent: number, { cause, certain, count }: Loss): void {
    this.#sql.addLoss.run(agent, cause, certain ? 1 : 0, count);
  }

  #rollUp(minuteMs: number, events: number): void {
    this.#sql.addMinute.run(minuteMs, events);
    // One more than is shown: the minute that is not over yet.
    this.#sql.dropMinutes.run(minuteMs - (MINUTES_MAX + 1) * MINUTE_MS);
  }
}

function unixMs(bootNs: bigint, { wallOffsetNs }: BatchInfo): number {
  return Number((bootNs + wallOffsetNs) / NS_PER_MS);
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  const most = Number.MAX_SAFE_INTEGER;
  return {
    agent: database.prepare("SELECT number, host_id, revoked FROM agents WHERE id = ?"),
    journal: database.prepare(
      "SELECT number, position FROM journals WHERE agent = ? AND journal_id = ?",
    ),
    addJournal: database.prepare(
      "INSERT INTO journals (agent, journal_id, position) VALUES (?, ?, ?)",
    ),
    movePosition: database.prepare("UPDATE journals SET position = ? WHERE number = ?"),
    countStored: database.prepare(
      "UPDATE agents SET stored = stored + ?, events = events + ?, last_seen_ms = ? WHERE number = ?",
    ),
    addBlock: database.prepare(
      `INSERT INTO blocks (agent, journal, first_position, from_position, last_position, first_ms,
        last_ms, kernel_kinds, user_kinds, host_id, boot_id, epoch, length)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    addBytes: database.prepare("INSERT INTO block_bytes (block, codec, bytes) VALUES (?, ?, ?)"),
    // An agent names any count: the sum stops where a number is no longer exact.
    addLoss: database.prepare(
      `INSERT INTO losses (agent, cause, certain, count) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET count = min(count + excluded.count, ${most})`,
    ),
    addMinute: database.prepare(
      `INSERT INTO minutes (minute_ms, events) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET events = events + excluded.events`,
    ),
    dropMinutes: database.prepare("DELETE FROM minutes WHERE minute_ms < ?"),
  };
}
