import { decodeRecord, KINDS, type RecordView } from "../../common/record/mod.ts";
import { type Alert, alertSchema } from "../../common/wire/alert.ts";
import { decodeHealth, type Health } from "../../common/wire/health.ts";
import { USER_KIND_FIRST } from "../../common/record/bounds.ts";
import { type KindMasks, kindMasks } from "./kinds.ts";

/** What a store takes out of the records of a batch. */
export interface Extract extends KindMasks {
  /** Earliest and latest record, in nanoseconds since boot. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  readonly alerts: readonly ExtractedAlert[];
  /** Alert records that hold no alert of this host. */
  readonly alertsTurnedAway: number;
  /** Records that a kernel made. */
  readonly events: number;
  readonly healths: readonly Health[];
}

/** An alert as its row holds it. */
export interface ExtractedAlert {
  readonly alert: Alert;
  /** Unix time in milliseconds. */
  readonly timeMs: number;
  /** The alert as it came. */
  readonly document: string;
}

/** Options of {@linkcode extract}. */
export interface ExtractOptions {
  /** So many records from the start are checked and nothing else. */
  readonly skip: number;
  /** Host that the batch says it is from. */
  readonly hostId: string;
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Checks every record of a batch and takes out what the store keeps beside the block.
 *
 * @param records Whole records, one after the other, more than `options.skip`.
 * @param options What to skip, and whose alerts to take.
 * @throws {ImmuneError} `RECORD_MALFORMED` at the first one that does not hold.
 */
export function extract(records: Uint8Array, { skip, hostId }: ExtractOptions): Extract {
  const kinds = new Set<number>();
  const alerts: ExtractedAlert[] = [];
  const healths: Health[] = [];
  let events = 0;
  let alertsTurnedAway = 0;
  let firstNs: bigint | undefined;
  let lastNs = 0n;
  for (let offset = 0, number = 0; offset < records.length; number++) {
    const record = decodeRecord(records, offset);
    offset += record.bytes.length;
    if (number < skip) continue;
    const { kindId, timeNs } = record;
    kinds.add(kindId);
    if (firstNs === undefined || timeNs < firstNs) firstNs = timeNs;
    if (timeNs > lastNs) lastNs = timeNs;
    if (kindId < USER_KIND_FIRST) events++;
    else if (kindId === KINDS.health.id) healths.push(...healthOf(record));
    else if (kindId === KINDS.alert.id) {
      const alert = alertOf(record, hostId);
      if (alert === undefined) alertsTurnedAway++;
      else alerts.push(alert);
    }
  }
  return {
    ...kindMasks(kinds),
    firstNs: firstNs ?? 0n,
    lastNs,
    alerts,
    alertsTurnedAway,
    events,
    healths,
  };
}

function healthOf(record: RecordView): readonly Health[] {
  const health = decodeHealth(record);
  return health === undefined ? [] : [health];
}

function alertOf(record: RecordView, hostId: string): ExtractedAlert | undefined {
  const bytes = record.slot("alert", "document");
  if (bytes === undefined) return undefined;
  let document: string;
  let value: unknown;
  try {
    document = STRICT_UTF8.decode(bytes);
    value = JSON.parse(document);
  } catch {
    return undefined;
  }
  const parsed = alertSchema.safeParse(value);
  // An agent speaks for its own host: an alert's id folds those of all hosts.
  if (!parsed.success || parsed.data.host.id !== hostId) return undefined;
  const timeMs = Date.parse(parsed.data.time);
  return { alert: parsed.data as unknown as Alert, timeMs, document };
}
