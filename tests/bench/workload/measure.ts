import { compileRules } from "../../../common/sigma/mod.ts";
import { Random } from "../../support/random.ts";
import type { BenchFigure, BenchResult } from "../result.ts";
import { agreement } from "./agreement.ts";
import { type Corpus, readCorpus } from "./corpus.ts";
import {
  makeWork,
  type Scanned,
  scanWork,
  startProcesses,
  type Work,
  type WorkKind,
} from "./work.ts";
import { median } from "../_ratio.ts";

/** Rules of the two sets whose costs are compared. */
const FEW_RULES = 100;
const MANY_RULES = 10_000;
/** Turns in which the two are measured, one after the other, and records of each. */
const COST_TURNS = 7;
const COST_RECORDS = 40_000;
/** Scanned before anything is timed. */
const WARM_UP_RECORDS = 40_000;
const COMPILATIONS = 3;
/** What is never touched of the engine's memory is zero, page by page, and takes no room. */
const PAGE_BYTES = 4096;
const MIB = 1024 * 1024;

/** How much is run. */
export interface WorkloadOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Rules; default 3,000. */
  readonly rules?: number;
  /** Records of each kind; default 500,000 execs and 500,000 opens. */
  readonly records?: number;
  /** Records that the reference judges too, half of each kind; default 10,000. */
  readonly sample?: number;
}

/**
 * Measures the engine with rules like those of the corpus, on records that are all distinct, from
 * bytes in its memory to hits.
 *
 * @param options How much.
 * @returns Figures.
 * @throws {RangeError} when engine and reference do not agree.
 */
export async function measureWorkload(options: WorkloadOptions = {}): Promise<BenchResult> {
  const { seed = 1, rules = 3_000, records = 500_000, sample = 10_000 } = options;
  const corpus = await readCorpus();
  const random = new Random(seed);
  const work = await makeWork(corpus, { rules, random });
  const execs = measureKind(work, { kind: "exec", records, sample: sample / 2 });
  const opens = measureKind(work, { kind: "open", records, sample: sample / 2 });
  const hits = execs.hits + opens.hits;
  const memory = touchedBytes(work.engine.core.memory) / MIB;
  const compiling = median(Array.from({ length: COMPILATIONS }, () => compilingMs(work)));
  const ratio = await costRatio(corpus, random);
  const figure = (name: string, value: number, unit: string): BenchFigure => {
    return { figure: name, value, unit };
  };
  return {
    workload: `${records} execs and ${records} opens, all distinct; ${work.literals} distinct ` +
      `texts; ${sample} records agree with the reference`,
    seed,
    checksum: `${hits} hits`,
    figures: [
      figure("rules", work.set.rules.length, "rules"),
      figure("distinct_records", execs.records + opens.records, "records"),
      figure("hits", hits, "hits"),
      figure("process_events_per_s", execs.records / execs.seconds, "events/s"),
      figure("file_events_per_s", opens.records / opens.seconds, "events/s"),
      figure("cost_ratio_10000_to_100", ratio, "ratio"),
      figure(`compile_${rules}_rules_ms`, compiling, "ms"),
      figure("engine_memory_mb", memory, "MiB"),
    ],
  };
}

function measureKind(
  work: Work,
  { kind, records, sample }: {
    readonly kind: WorkKind;
    readonly records: number;
    readonly sample: number;
  },
): Scanned {
  startProcesses(work.engine, work.makers[kind]);
  scanWork(work, { kind, records: WARM_UP_RECORDS });
  const scanned = scanWork(work, { kind, records });
  const { disagreements, examples } = agreement(work, { kind, records: sample });
  if (disagreements > 0) {
    throw new RangeError(`${disagreements} hits are not the reference's: ${examples.join("\n")}`);
  }
  return scanned;
}

function compilingMs({ rules }: Work): number {
  const sources = rules.map(({ text }, i) => ({ path: String(i), text }));
  const start = performance.now();
  compileRules(sources);
  return performance.now() - start;
}

/** What an exec costs with many rules, in what it costs with few; medians, in turns. */
async function costRatio(corpus: Corpus, random: Random): Promise<number> {
  const few = await makeWork(corpus, { rules: FEW_RULES, random });
  const many = await makeWork(corpus, { rules: MANY_RULES, random });
  const kind: WorkKind = "exec";
  for (const { engine, makers } of [few, many]) startProcesses(engine, makers[kind]);
  const cost = (work: Work): number => {
    const { records, seconds } = scanWork(work, { kind, records: COST_RECORDS });
    return seconds / records;
  };
  for (const work of [few, many]) cost(work);
  const turns = Array.from({ length: COST_TURNS }, () => [cost(few), cost(many)] as const);
  return median(turns.map(([, b]) => b)) / median(turns.map(([a]) => a));
}

function touchedBytes(memory: Uint8Array<ArrayBuffer>): number {
  const words = new BigUint64Array(memory.buffer);
  const perPage = PAGE_BYTES / BigUint64Array.BYTES_PER_ELEMENT;
  let pages = 0;
  for (let at = 0; at < words.length; at += perPage) {
    if (words.subarray(at, at + perPage).some((word) => word !== 0n)) pages++;
  }
  return pages * PAGE_BYTES;
}
