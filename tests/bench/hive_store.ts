import { createHash } from "node:crypto";
import { encodeRecord } from "../../common/record/mod.ts";
import { decodeBatch, encodeBatch } from "../../common/wire/mod.ts";
import { type Store, StoreWorker } from "../../hive/store/mod.ts";
import { randomNumbers } from "./_random.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

const SEED = 4_211;
const RECORDS_PER_BATCH = 1000;
const BATCHES = 400;
/** Batches under way at once, as an intake with many agents has them. */
const IN_FLIGHT = 16;
/** Blocks of one answer when they are read back. */
const BLOCKS_PER_QUERY = 64;
const MIB = 1024 * 1024;
const AGENT = { id: "00000000-0000-4000-8000-000000000001", hostId: "a".repeat(64), hostName: "b" };

/** Measures the store in its Worker: batches in, one after the other and many at once, and out. */
export async function run(): Promise<BenchResult> {
  const folder = await Deno.makeTempDir({ prefix: "immune-bench-" });
  const worker = await StoreWorker.start({ path: `${folder}/store.db` });
  try {
    const store = worker.client();
    await store.addAgent(AGENT, "f".repeat(64));
    const records = recordsOfABatch();
    const single = await put(store, { records, journal: "1", inFlight: 1 });
    const many = await put(store, { records, journal: "2", inFlight: IN_FLIGHT });
    const stored = sizeOf(folder);
    const back = await readBack(store);
    const bytesIn = 2 * BATCHES * records.length;
    return {
      workload: `2 x ${BATCHES} batches of ${RECORDS_PER_BATCH} records of ` +
        `${Math.round(records.length / RECORDS_PER_BATCH)} bytes, one transaction and sync each ` +
        `or shared by up to ${IN_FLIGHT}`,
      seed: SEED,
      checksum: back.checksum,
      figures: [
        rate("in_one_at_a_time_records_per_s", single),
        rate(`in_${IN_FLIGHT}_at_once_records_per_s`, many),
        rate("out_records_per_s", back.seconds / 2),
        { figure: "acknowledgement_ms", value: single * 1000 / BATCHES, unit: "ms" },
        { figure: "stored_bytes_ratio", value: stored / bytesIn, unit: "ratio" },
        { figure: "store_mib", value: stored / MIB, unit: "MiB" },
      ],
    };
  } finally {
    await worker.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Records of one run of `BATCHES` batches in so many seconds. */
function rate(figure: string, seconds: number): BenchFigure {
  return { figure, value: BATCHES * RECORDS_PER_BATCH / seconds, unit: "records/s" };
}

async function put(store: Store, { records, journal, inFlight }: {
  readonly records: Uint8Array;
  readonly journal: string;
  readonly inFlight: number;
}): Promise<number> {
  const batches = Array.from({ length: BATCHES }, (_, i) =>
    encodeBatch({
      first: 1 + i * RECORDS_PER_BATCH,
      recordCount: RECORDS_PER_BATCH,
      losses: [],
      journalId: journal.repeat(32),
      bootId: "b".repeat(32),
      hostId: AGENT.hostId,
      epoch: 1,
      wallOffsetNs: 1_700_000_000_000_000_000n,
    }, records));
  const start = performance.now();
  for (let at = 0; at < BATCHES; at += inFlight) {
    const sent = batches.slice(at, at + inFlight);
    await Promise.all(sent.map((bytes) => store.append({ agentId: AGENT.id, bytes })));
  }
  return (performance.now() - start) / 1000;
}

async function readBack(
  store: Store,
): Promise<{ readonly seconds: number; readonly checksum: string }> {
  const start = performance.now();
  let count = 0;
  let last = "";
  let before: number | undefined;
  for (;;) {
    const query = { limit: BLOCKS_PER_QUERY, ...(before === undefined ? {} : { before }) };
    const blocks = await store.blocks(query);
    const oldest = blocks.at(-1);
    if (oldest === undefined) break;
    before = oldest.id;
    for (const { bytes } of blocks) {
      const { info } = decodeBatch(bytes);
      count += info.recordCount;
      last = `${info.journalId} ${info.first}`;
    }
  }
  const seconds = (performance.now() - start) / 1000;
  if (count !== 2 * BATCHES * RECORDS_PER_BATCH) throw new Error(`Read back ${count} records`);
  const checksum = createHash("sha256").update(`${count} ${last}`).digest("hex").slice(0, 16);
  return { seconds, checksum };
}

/** Life of processes as an inference host has it: mostly opens and execs with long arguments. */
function recordsOfABatch(): Uint8Array {
  const random = randomNumbers(SEED);
  const paths = ["/usr/lib/x86_64-linux-gnu/libc.so.6", "/opt/models/llama/00001.safetensors"];
  const parts = Array.from({ length: RECORDS_PER_BATCH }, (_, i) => {
    const header = {
      pid: 1000 + random(30_000),
      time_ns: BigInt(i) * 1_000_003n + BigInt(random(1_000_000)),
      sequence: i + 1,
      start_time_ns: BigInt(random(2 ** 30)),
      parent_start_time_ns: BigInt(random(2 ** 30)),
      cgroup_id: BigInt(4000 + random(20)),
    };
    if (random(3) > 0) {
      const path = `${paths[random(2)]}.${random(1000)}/${random(2 ** 30).toString(36).repeat(6)}`;
      return encodeRecord("open", { header, slots: { path } });
    }
    const argv = `python3\0-m\0vllm.entrypoints.openai.api_server\0--port\0${
      random(9999)
    }\0--seed\0${random(2 ** 30)}\0`;
    return encodeRecord("exec", {
      header,
      slots: { image: "/usr/bin/python3.11", argv, cwd: "/srv", file_name: "python3" },
    });
  });
  const records = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    records.set(part, offset);
    offset += part.length;
  }
  return records;
}

function sizeOf(folder: string): number {
  return [...Deno.readDirSync(folder)]
    .reduce((sum, { name }) => sum + Deno.statSync(`${folder}/${name}`).size, 0);
}
