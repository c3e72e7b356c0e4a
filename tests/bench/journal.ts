import { crc32 } from "node:zlib";
import { Journal } from "../../common/journal/mod.ts";
import { HEADER_BYTES } from "../../common/record/mod.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

const SEED = 11;
const RECORDS_PER_BATCH = 500;
const RECORD_BYTES = HEADER_BYTES + 160;
const BATCHES = 800;
/** Enough to run for several flush intervals, and past the bound where old segments go. */
const STEADY_BATCHES = 6000;
const SYNCED_BATCHES = 60;
const MIB = 1024 * 1024;

/**
 * Measures how fast batches are appended, opened again and read back.
 *
 * @returns Figures.
 */
export async function run(): Promise<BenchResult> {
  const folder = await Deno.makeTempDir({ prefix: "immune-bench-" });
  try {
    const records = batch();
    const buffered = append(`${folder}/a`, { records, batches: BATCHES, flushMs: 60_000 });
    const usual = append(`${folder}/b`, { records, batches: STEADY_BATCHES, flushMs: 200 });
    const synced = append(`${folder}/c`, { records, batches: SYNCED_BATCHES, flushMs: 0 });
    const back = readBack(`${folder}/a`);
    return {
      workload:
        `${BATCHES}, ${STEADY_BATCHES} and ${SYNCED_BATCHES} batches of ${RECORDS_PER_BATCH} records of ${RECORD_BYTES} bytes`,
      seed: SEED,
      checksum: back.checksum,
      figures: [
        ...rates("append_sync_by_segment", buffered),
        ...rates("append_default", usual),
        { figure: "append_default_syncs", value: usual.flushes, unit: "calls" },
        ...rates("append_sync_by_batch", synced),
        {
          figure: `open_${Math.round(back.bytes / MIB)}_mib_ms`,
          value: back.openMs,
          unit: "ms",
        },
        {
          figure: "read_back_mib_per_s",
          value: back.bytes / MIB / back.readSeconds,
          unit: "MiB/s",
        },
      ],
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Timed {
  readonly records: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly flushes: number;
}

function rates(name: string, { records, bytes, seconds }: Timed): BenchFigure[] {
  return [
    { figure: `${name}_records_per_s`, value: records / seconds, unit: "records/s" },
    { figure: `${name}_mib_per_s`, value: bytes / MIB / seconds, unit: "MiB/s" },
  ];
}

function batch(): Uint8Array {
  const records = new Uint8Array(RECORDS_PER_BATCH * RECORD_BYTES);
  let state = SEED;
  for (let at = 0; at < records.length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    records[at] = state >>> 24;
  }
  const view = new DataView(records.buffer);
  for (let at = 0; at < records.length; at += RECORD_BYTES) view.setUint32(at, RECORD_BYTES, true);
  return records;
}

function append(folder: string, { records, batches, flushMs }: {
  readonly records: Uint8Array;
  readonly batches: number;
  readonly flushMs: number;
}): Timed {
  using journal = Journal.open(folder, { flushMs });
  const start = performance.now();
  for (let i = 0; i < batches; i++) {
    const appended = journal.append(records, {
      recordCount: RECORDS_PER_BATCH,
      bootId: "00".repeat(16),
      hostId: "00".repeat(32),
      epoch: 1,
      wallOffsetNs: 0n,
    });
    if (!appended.written) throw appended.error;
  }
  const seconds = (performance.now() - start) / 1000;
  const { flushes } = journal.stats();
  return {
    records: batches * RECORDS_PER_BATCH,
    bytes: batches * records.length,
    seconds,
    flushes,
  };
}

function readBack(folder: string): {
  readonly checksum: string;
  readonly openMs: number;
  readonly bytes: number;
  readonly readSeconds: number;
} {
  const before = performance.now();
  using journal = Journal.open(folder);
  const openMs = performance.now() - before;
  let checksum = 0;
  let bytes = 0;
  const start = performance.now();
  for (const each of journal.read(1)) {
    bytes += each.bytes.length;
    checksum = crc32(each.records, checksum);
  }
  const readSeconds = (performance.now() - start) / 1000;
  return { checksum: checksum.toString(16).padStart(8, "0"), openMs, bytes, readSeconds };
}
