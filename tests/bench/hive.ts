import { crc32 } from "node:zlib";
import { encodeRecord } from "../../common/record/mod.ts";
import { encodeBatch } from "../../common/wire/mod.ts";
import { TestHive } from "../support/intake.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

const SEED = 5;
const RECORDS_PER_BATCH = 1000;
/** Bytes of a record's path and arguments: with its header and fields some 250. */
const TEXT_BYTES = 96;
const WARM_UP_BATCHES = 20;
const BATCHES = 400;
const AGENTS = 4;

/**
 * Measures the way from agents over mutual TLS into the store: posts of whole batches, each waiting
 * for its acknowledgement, from one agent and from several.
 *
 * @returns Figures.
 */
export async function run(): Promise<BenchResult> {
  const one = await measure(1);
  const several = await measure(AGENTS);
  return {
    workload: `${BATCHES} batches of ${RECORDS_PER_BATCH} records of ${one.recordBytes} bytes, ` +
      "posted over mutual TLS 1.3, acknowledged when SQLite has synced",
    seed: SEED,
    checksum: one.checksum,
    figures: [...figures("1_agent", one), ...figures(`${AGENTS}_agents`, several)],
  };
}

interface Measured {
  readonly seconds: number;
  /** Of each batch, in milliseconds, ascending. */
  readonly waits: readonly number[];
  readonly recordBytes: number;
  readonly checksum: string;
}

function figures(who: string, { seconds, waits }: Measured): BenchFigure[] {
  const at = (share: number): number => waits[Math.floor(waits.length * share)] ?? NaN;
  return [
    {
      figure: `intake_${who}_records_per_s`,
      value: waits.length * RECORDS_PER_BATCH / seconds,
      unit: "records/s",
    },
    { figure: `acknowledgement_${who}_p50_ms`, value: at(0.5), unit: "ms" },
    { figure: `acknowledgement_${who}_p99_ms`, value: at(0.99), unit: "ms" },
  ];
}

async function measure(agents: number): Promise<Measured> {
  await using hive = await TestHive.start();
  const senders = await Promise.all(
    Array.from({ length: agents }, async (_, number) => {
      const { hostId, ...identity } = await hive.enrol(number.toString(16).padStart(64, "0"));
      return { client: hive.client(identity), hostId };
    }),
  );
  const records = sampleRecords();
  const each = Math.floor(BATCHES / agents);
  const waits: number[] = [];
  const send = async (
    { client, hostId }: (typeof senders)[number],
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<void> => {
    for (let number = from; number < to; number++) {
      const body = batch({ records, hostId, number });
      const start = performance.now();
      const response = await fetch(hive.url, { method: "POST", body, client });
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
      waits.push(performance.now() - start);
    }
  };
  await Promise.all(senders.map((sender) => send(sender, { from: 0, to: WARM_UP_BATCHES })));
  waits.length = 0;
  const start = performance.now();
  const run = { from: WARM_UP_BATCHES, to: WARM_UP_BATCHES + each };
  await Promise.all(senders.map((sender) => send(sender, run)));
  const seconds = (performance.now() - start) / 1000;
  const { records: stored } = await hive.store.stats();
  const sent = (WARM_UP_BATCHES + each) * agents * RECORDS_PER_BATCH;
  if (stored !== sent) throw new Error(`${stored} records are stored, not ${sent}`);
  for (const { client } of senders) client.close();
  return {
    seconds,
    waits: waits.toSorted((a, b) => a - b),
    recordBytes: Math.round(records.length / RECORDS_PER_BATCH),
    checksum: crc32(records).toString(16).padStart(8, "0"),
  };
}

/** Exec records whose texts look like paths and differ from each other. */
function sampleRecords(): Uint8Array {
  const parts = Array.from({ length: RECORDS_PER_BATCH }, (_, number) => {
    const noise = Math.imul(number + SEED, 0x9E37_79B1) >>> 0;
    const text =
      `/usr/lib/python3/dist-packages/service-${noise}/worker-${number}.py --id ${noise}`;
    return encodeRecord("exec", {
      header: { pid: 1000 + number, time_ns: BigInt(number) * 1_000_000n },
      slots: { file_name: text.padEnd(TEXT_BYTES, "x") },
    });
  });
  const records = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    records.set(part, at);
    at += part.length;
  }
  return records;
}

function batch({ records, hostId, number }: {
  readonly records: Uint8Array;
  readonly hostId: string;
  readonly number: number;
}): Uint8Array<ArrayBuffer> {
  return encodeBatch({
    first: number * RECORDS_PER_BATCH + 1,
    recordCount: RECORDS_PER_BATCH,
    losses: [],
    journalId: "05".repeat(16),
    bootId: "06".repeat(16),
    hostId,
    epoch: 1,
    wallOffsetNs: 1_700_000_000_000_000_000n,
  }, records);
}
