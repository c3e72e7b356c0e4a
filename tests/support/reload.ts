import { encodeRecord } from "../../common/record/mod.ts";
import { compileRules, type RuleSource } from "../../common/sigma/mod.ts";

/** Records of one batch. */
export const RELOAD_BATCH_RECORDS = 400;

/** What each engine is to do. */
export interface ReloadTask {
  /** Rule sets, taken over in turn. */
  readonly images: readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  readonly batch: Uint8Array<ArrayBuffer>;
  readonly reloads: number;
}

/** What an engine saw. */
export interface ReloadReport {
  readonly batches: number;
  /** Batches whose hits were not those of the rule set in force. */
  readonly torn: number;
  /** Records that the engine counted. */
  readonly records: number;
  readonly malformed: number;
  /** Of each reload the longest step that held the scan up, in milliseconds. */
  readonly pausesMs: readonly number[];
}

/** How often, on how many engines, with how many rules. */
export interface ReloadOptions {
  readonly engines: number;
  readonly reloads: number;
  readonly rules: number;
}

/**
 * Has engines, each in a Worker of its own, scan without pause while rule sets change.
 *
 * @param options How often, on how many, with how many rules.
 * @returns What each saw.
 */
export async function reloadUnderLoad(options: ReloadOptions): Promise<readonly ReloadReport[]> {
  const images = [imageOf("even", options.rules), imageOf("odd", options.rules)] as const;
  const task: ReloadTask = { images, batch: batchOf(), reloads: options.reloads };
  return await Promise.all(Array.from({ length: options.engines }, () => runOne(task)));
}

async function runOne(task: ReloadTask): Promise<ReloadReport> {
  const worker = new Worker(new URL("reload_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<ReloadReport>();
  worker.onmessage = ({ data }: MessageEvent<ReloadReport>) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage(task);
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}

/** Rules that fire on half of the records, on one of 14 words each, like those of the field. */
function imageOf(name: string, rules: number): Uint8Array<ArrayBuffer> {
  const sources = Array.from({ length: rules }, (_, i): RuleSource => {
    const words = Array.from({ length: 13 }, (_, j) => `${name}-word-${i}-${j}`);
    return {
      path: `${i}.yml`,
      text: [
        `title: Reload ${name} ${i}`,
        `id: 11111111-0000-4000-8000-${String(i).padStart(12, "0")}`,
        "logsource: { category: process_creation, product: linux }",
        "detection:",
        `  s: { CommandLine|contains: [${name}-${i}-, ${words.join()}] }`,
        "  condition: s",
      ].join("\n"),
    };
  });
  return compileRules(sources).image;
}

function batchOf(): Uint8Array<ArrayBuffer> {
  const records = Array.from({ length: RELOAD_BATCH_RECORDS }, (_, i) =>
    encodeRecord("exec", {
      header: { pid: i + 1, start_time_ns: BigInt(i + 1) },
      slots: { image: "/bin/sh", argv: `sh\0-c\0run ${i % 2 ? "odd" : "even"}-${i}-x\0`, cwd: "/" },
    }));
  const batch = new Uint8Array(records.reduce((length, record) => length + record.length, 0));
  let at = 0;
  for (const record of records) {
    batch.set(record, at);
    at += record.length;
  }
  return batch;
}
