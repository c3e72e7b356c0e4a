import type { Journal } from "../../common/journal/mod.ts";
import {
  type EcsContext,
  encodeRecord,
  RECORD_BYTES_MAX,
  type RecordView,
  SOURCES,
} from "../../common/record/mod.ts";
import { SEVERITIES } from "../../common/sigma/severity.ts";
import { type Alert, encodeHealth, type Health, type Loss } from "../../common/wire/mod.ts";
import type { FoldedRow } from "../sensors/sensor.ts";
import type { RecordSink } from "./pipeline.ts";
import type { Judged } from "./verdicts.ts";

/** What a journal's batches say of where they come from. */
export interface JournalSinkOptions {
  readonly epoch: number;
  readonly context: () => EcsContext;
  /** Nanoseconds since boot, now. */
  readonly bootTimeNs: () => bigint;
  /** Told when the disk stops taking records, and when it takes them again. */
  readonly onWarning: (message: string) => void;
}

/** Longest alert document in a record, in bytes. */
const DOCUMENT_BYTES_MAX = RECORD_BYTES_MAX - 256;
/**
 * UTF-16 units that each text of a longer one keeps, tried in this order. With the last, fewer than
 * 50 texts of at most 6 bytes a unit (a control character as JSON) fit for certain.
 */
const TEXT_UNITS_KEPT = [2048, 512, 64];
/** Entries that each list of it keeps. */
const LIST_ENTRIES_KEPT = 8;

const UTF8 = new TextEncoder();

/** Writes records and alerts into a journal; a full disk is reported and detection goes on. */
export class JournalSink implements RecordSink {
  readonly #journal: Journal;
  readonly #options: JournalSinkOptions;
  #failing = false;
  #appended = 0;
  #sequence = 0;

  /**
   * @param journal An open journal.
   * @param options Epoch, host and where warnings go.
   */
  constructor(journal: Journal, options: JournalSinkOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /** Records written so far, alerts and health included, context not. */
  get appended(): number {
    return this.#appended;
  }

  append(records: Uint8Array, about: { recordCount: number; losses: readonly Loss[] }): void {
    const { epoch, context, onWarning } = this.#options;
    const { bootId, hostId, wallOffsetNs } = context();
    const result = this.#journal.append(records, { ...about, bootId, hostId, epoch, wallOffsetNs });
    if (result.written) this.#appended += about.recordCount;
    if (result.written === !this.#failing) return;
    this.#failing = !result.written;
    onWarning(
      result.written
        ? "The journal takes records again; what it missed is in its loss ledger"
        : `${result.error.message}; detection goes on, what is not kept is counted`,
    );
  }

  appendAlerts(alerts: readonly Alert[], records: readonly RecordView[]): void {
    const parts = alerts.flatMap((alert, i) => {
      const record = records[i];
      return record === undefined ? [] : [this.#alertRecord(alert, record)];
    });
    // Records of at most 24 KiB each, so that no batch is over its bound.
    for (const batch of inBatches(parts)) {
      this.append(batch.bytes, { recordCount: batch.count, losses: [] });
    }
  }

  appendHealth(health: Health, losses: readonly Loss[]): void {
    const record = encodeHealth(health, {
      source: SOURCES.agent,
      sequence: ++this.#sequence,
      time_ns: this.#options.bootTimeNs(),
    });
    this.append(record, { recordCount: 1, losses });
  }

  appendFolded(rows: readonly FoldedRow[]): void {
    const parts = rows.map((row) =>
      encodeRecord("folded", {
        header: {
          source: SOURCES.agent,
          sequence: ++this.#sequence,
          time_ns: this.#options.bootTimeNs(),
          pid: row.pid,
          tid: row.pid,
          start_time_ns: row.startTimeNs,
          cgroup_id: row.cgroupId,
        },
        body: {
          count: BigInt(row.count),
          first_ns: row.firstNs,
          last_ns: row.lastNs,
          folded_kind: row.kind,
        },
      })
    );
    for (const batch of inBatches(parts)) {
      this.append(batch.bytes, { recordCount: batch.count, losses: [] });
    }
  }

  appendResults(results: readonly Judged[]): void {
    const parts = results.map((judged) => this.#resultRecord(judged));
    for (const batch of inBatches(parts)) {
      this.append(batch.bytes, { recordCount: batch.count, losses: [] });
    }
  }

  #resultRecord({ verdict, finding }: Judged): Uint8Array {
    const number = (name: "entry" | "action" | "tier" | "outcome"): number =>
      verdict.number("verdict", name);
    return encodeRecord("action_result", {
      header: {
        source: SOURCES.agent,
        sequence: ++this.#sequence,
        pid: verdict.pid,
        tid: verdict.tid,
        time_ns: this.#options.bootTimeNs(),
        start_time_ns: verdict.startTimeNs,
        uid: verdict.uid,
        gid: verdict.gid,
        cgroup_id: verdict.cgroupId,
        session: verdict.session,
        role: verdict.role,
      },
      body: {
        record_sequence: verdict.sequence,
        record_source: verdict.source,
        entry: number("entry"),
        action: number("action"),
        tier: number("tier"),
        outcome: number("outcome"),
        verified: finding.verified ? 1 : 0,
      },
      slots: { finding: finding.text },
    });
  }

  #alertRecord(alert: Alert, record: RecordView): Uint8Array {
    return encodeRecord("alert", {
      header: {
        source: SOURCES.agent,
        sequence: ++this.#sequence,
        pid: record.pid,
        tid: record.tid,
        time_ns: record.timeNs,
        start_time_ns: record.startTimeNs,
        uid: record.uid,
        gid: record.gid,
        cgroup_id: record.cgroupId,
        session: record.session,
        role: record.role,
      },
      body: {
        record_sequence: record.sequence,
        record_source: record.source,
        severity: SEVERITIES[alert.severity],
      },
      slots: { document: documentBytes(alert) },
    });
  }
}

/** Most bytes of one batch of alerts. */
const ALERT_BATCH_BYTES = 1024 * 1024;

function* inBatches(
  records: readonly Uint8Array[],
): Generator<{ readonly bytes: Uint8Array; readonly count: number }> {
  const sum = records.reduce((total, record) => total + record.length, 0);
  const bytes = new Uint8Array(Math.min(sum, ALERT_BATCH_BYTES));
  let [length, count] = [0, 0];
  for (const record of records) {
    if (length + record.length > bytes.length) {
      yield { bytes: bytes.subarray(0, length), count };
      [length, count] = [0, 0];
    }
    bytes.set(record, length);
    length += record.length;
    count++;
  }
  if (count > 0) yield { bytes: bytes.subarray(0, length), count };
}

/**
 * The alert as JSON. Where it is too long for a record, every text and list of it is cut, shorter
 * and shorter: whoever makes a record must not be able to make one that cannot be told of.
 */
function documentBytes(alert: Alert): Uint8Array {
  let bytes = UTF8.encode(JSON.stringify(alert));
  for (const textUnits of TEXT_UNITS_KEPT) {
    if (bytes.length <= DOCUMENT_BYTES_MAX) break;
    const labels = { flags: [...new Set([...alert.labels?.flags ?? [], "truncated"])] };
    const cut = (_: string, value: unknown): unknown => {
      if (typeof value === "string") return value.slice(0, textUnits);
      return Array.isArray(value) ? value.slice(0, LIST_ENTRIES_KEPT) : value;
    };
    bytes = UTF8.encode(JSON.stringify({ ...alert, labels }, cut));
  }
  return bytes;
}
