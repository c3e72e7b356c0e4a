import { encodeRecord, type HeaderValues } from "../record/encode.ts";
import type { RecordView } from "../record/decode.ts";
import {
  decodeMissed,
  decodePlaces,
  decodeTallies,
  encodeMissed,
  encodePlaces,
  encodeTallies,
  type MissedRuns,
  type PlaceTally,
  type Tally,
} from "./tally.ts";
import { decodeTiers, encodeTiers, type TierTally } from "./tier_tally.ts";

/**
 * Upper bounds of the classes of a scan's duration, in seconds; one more class has the longer ones.
 * They are part of the format: a change is a new kind of record.
 */
export const SCAN_SECONDS_BOUNDS: readonly number[] = [
  0.000_05,
  0.000_1,
  0.000_25,
  0.000_5,
  0.001,
  0.002_5,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
];
/** Classes of a scan's duration, the open one included. */
export const SCAN_CLASSES = SCAN_SECONDS_BOUNDS.length + 1;

const COUNT_BYTES = 8;

/** How an agent does; counts are those since its last health record. */
export interface Health {
  /** Rules in force. */
  readonly rules: number;
  /** SHA-256 of the rule image, 64 lower-case hexadecimal digits; empty without rules. */
  readonly ruleSet: string;
  /** Records scanned. */
  readonly records: number;
  readonly alerts: number;
  /** Records with values masked. */
  readonly masked: number;
  /** Nanoseconds in scans. */
  readonly scanTimeNs: number;
  /** Scans by class of their duration, {@linkcode SCAN_CLASSES} of them. */
  readonly scans: readonly number[];
  /** What the sensor counted, a row a kind; an agent of an earlier version tells none. */
  readonly tallies: readonly Tally[];
  /** Programs of the sensor that did not run when they should have. */
  readonly missed: readonly MissedRuns[];
  /** Tiers of enforcement that are in force, with what they did. */
  readonly tiers: readonly TierTally[];
  /** CPUs at which something was lost, a row a kind, and the sensor's tables, each of all CPUs. */
  readonly places: readonly PlaceTally[];
  /** Programs of the sensor that were found not attached, with how often. */
  readonly detached: readonly MissedRuns[];
}

/**
 * Writes a health record.
 *
 * @param health Figures.
 * @param header Source, sequence and time.
 */
export function encodeHealth(health: Health, header: HeaderValues): Uint8Array {
  const scans = new DataView(new ArrayBuffer(SCAN_CLASSES * COUNT_BYTES));
  for (let i = 0; i < SCAN_CLASSES; i++) {
    scans.setBigUint64(i * COUNT_BYTES, BigInt(health.scans[i] ?? 0), true);
  }
  return encodeRecord("health", {
    header,
    body: {
      rules: health.rules,
      records: health.records,
      alerts: health.alerts,
      masked: health.masked,
      scan_time_ns: Math.round(health.scanTimeNs),
    },
    slots: {
      rule_set: health.ruleSet,
      scans: new Uint8Array(scans.buffer),
      tallies: encodeTallies(health.tallies),
      missed: encodeMissed(health.missed),
      tiers: encodeTiers(health.tiers),
      places: encodePlaces(health.places),
      detached: encodeMissed(health.detached),
    },
  });
}

const RULE_SET = /^([0-9a-f]{64})?$/;

/**
 * Reads a health record.
 *
 * @param record A record of kind `health`.
 * @returns Its figures; `undefined` when they are none that an agent could have.
 */
export function decodeHealth(record: RecordView): Health | undefined {
  const counts = record.slot("health", "scans");
  const ruleSet = new TextDecoder().decode(record.slot("health", "rule_set"));
  if (counts?.length !== SCAN_CLASSES * COUNT_BYTES || !RULE_SET.test(ruleSet)) return undefined;
  const tallies = decodeTallies(record.slot("health", "tallies") ?? new Uint8Array());
  const missed = decodeMissed(new TextDecoder().decode(record.slot("health", "missed")));
  const tiers = decodeTiers(new TextDecoder().decode(record.slot("health", "tiers")));
  const places = decodePlaces(record.slot("health", "places") ?? new Uint8Array());
  const detached = decodeMissed(new TextDecoder().decode(record.slot("health", "detached")));
  if (tallies === undefined || missed === undefined || tiers === undefined) return undefined;
  if (places === undefined || detached === undefined) return undefined;
  const view = new DataView(counts.buffer, counts.byteOffset, counts.byteLength);
  const health: Health = {
    rules: record.number("health", "rules"),
    ruleSet,
    records: record.number("health", "records"),
    alerts: record.number("health", "alerts"),
    masked: record.number("health", "masked"),
    scanTimeNs: record.number("health", "scan_time_ns"),
    scans: Array.from(
      { length: SCAN_CLASSES },
      (_, i) => Number(view.getBigUint64(i * COUNT_BYTES, true)),
    ),
    tallies,
    missed,
    tiers,
    places,
    detached,
  };
  const { records, alerts, masked, scanTimeNs, scans } = health;
  const all = [records, alerts, masked, scanTimeNs, ...scans];
  return all.every(Number.isSafeInteger) ? health : undefined;
}
