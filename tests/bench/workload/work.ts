import { compileRules, type RuleSet } from "../../../common/sigma/mod.ts";
import { Engine } from "../../../wasm/engine/mod.ts";
import type { Random } from "../../support/random.ts";
import { type Corpus, isMap } from "./corpus.ts";
import { type HitTexts, hitTexts } from "./hits.ts";
import { RecordMaker, type WorkRecord } from "./records.ts";
import { RuleMaker, type WorkRule } from "./rules.ts";

/** Longest record of the workload, in bytes. */
const RECORD_BYTES_MAX = 384;
/** Ordinary records that no rule may fire on, and how often rules that do are made anew. */
const ORDINARY_RECORDS = 20_000;
const REMAKES_MAX = 8;
/** One rule in so many may be made to fire. */
const RULES_PER_FIRING_RULE = 10;
/** Literals of which ordinary records have parts. */
const PARTIALS = 4_096;
const PARTIAL_BYTES_MIN = 5;
const PARTIAL_BYTES_MAX = 40;

/** Kinds of records. */
export type WorkKind = "exec" | "open";

/** Rules that are published to an engine with live processes, and records for them. */
export interface Work {
  readonly engine: Engine;
  readonly rules: readonly WorkRule[];
  readonly set: RuleSet;
  /** Distinct texts that the rules look for. */
  readonly literals: number;
  readonly makers: Readonly<Record<WorkKind, RecordMaker>>;
}

/** What a scan of records took and gave. */
export interface Scanned {
  readonly records: number;
  readonly hits: number;
  /** Seconds within `Engine.scan` alone. */
  readonly seconds: number;
}

/**
 * Makes rules that do not fire on ordinary records, publishes them and starts the processes.
 *
 * @param corpus What rules are like.
 * @param options `rules`: how many. `random`: choices.
 * @returns The work.
 */
export async function makeWork(
  corpus: Corpus,
  { rules: count, random }: { readonly rules: number; readonly random: Random },
): Promise<Work> {
  const maker = new RuleMaker(corpus, random);
  const rules = Array.from({ length: count }, () => maker.make());
  const engine = await Engine.create();
  let set = publish(engine, rules);
  // Those made anew are tried among themselves: no rule knows of another.
  let tried = [...rules.keys()];
  for (let remake = 0; remake < REMAKES_MAX; remake++) {
    const noisy = noisyRules(engine, random);
    if (noisy.size === 0) break;
    tried = tried.filter((_, i) => noisy.has(i));
    for (const rule of tried) rules[rule] = maker.make();
    set = publish(engine, tried.flatMap((rule) => rules[rule] ?? []));
  }
  if (tried.length < rules.length) set = publish(engine, rules);
  const partials = partialsOf(rules, random);
  const makerOf = (category: string): RecordMaker =>
    new RecordMaker(random, { partials, hits: hitsOf(rules, { category, random }) });
  const makers = { exec: makerOf("process_creation"), open: makerOf("file_event") };
  return { engine, rules, set, literals: maker.literals, makers };
}

function publish(engine: Engine, rules: readonly WorkRule[]): RuleSet {
  const set = compileRules(rules.map(({ text }, i) => ({ path: String(i), text })));
  const [rejected] = set.rejected;
  if (rejected !== undefined) {
    throw new RangeError(`${set.rejected.length} rules do not load: ${rejected.reason}`);
  }
  engine.publish(set.image);
  return set;
}

function noisyRules(engine: Engine, random: Random): ReadonlySet<number> {
  const maker = new RecordMaker(random, { hits: [], partials: [] });
  startProcesses(engine, maker);
  const noisy = new Set<number>();
  for (const kind of ["exec", "open"] as const) {
    for (let left = ORDINARY_RECORDS; left > 0;) {
      const records = fillBatch(engine, { most: left, next: () => maker[kind]() });
      left -= records.length;
      for (const { rule } of engine.scan(records.at(-1)?.end ?? 0)) noisy.add(rule);
    }
  }
  return noisy;
}

function hitsOf(
  rules: readonly WorkRule[],
  { category, random }: { readonly category: string; readonly random: Random },
): readonly HitTexts[] {
  const most = Math.max(1, Math.floor(rules.length / RULES_PER_FIRING_RULE));
  const found: HitTexts[] = [];
  for (const rule of rules) {
    if (found.length === most) break;
    const texts = rule.category === category ? hitTexts(rule, random) : undefined;
    if (texts !== undefined) found.push(texts);
  }
  return found;
}

function partialsOf(rules: readonly WorkRule[], random: Random): readonly string[] {
  const literals: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === "string") literals.push(value);
    else if (Array.isArray(value) || isMap(value)) Object.values(value).forEach(collect);
  };
  for (const { detection: { condition: _, ...selections } } of rules) collect(selections);
  const usable = literals.filter((text) =>
    text.length >= PARTIAL_BYTES_MIN && text.length <= PARTIAL_BYTES_MAX && !/[*?\\ ]/.test(text)
  );
  return Array.from({ length: PARTIALS }, () => random.pick(usable).slice(0, -1));
}

/** A record in the batch. */
export interface PlacedRecord {
  readonly record: WorkRecord;
  readonly offset: number;
  readonly end: number;
}

/**
 * Puts records into an engine's batch, one behind the other.
 *
 * @param engine The engine.
 * @param options `most`: records at the most. `next`: makes one.
 * @returns The records that are there now.
 */
export function fillBatch(
  engine: Engine,
  { most, next }: { readonly most: number; readonly next: () => WorkRecord },
): readonly PlacedRecord[] {
  const placed: PlacedRecord[] = [];
  let offset = 0;
  while (placed.length < most && offset + RECORD_BYTES_MAX <= engine.batch.length) {
    const record = next();
    if (record.bytes.length > RECORD_BYTES_MAX) throw new RangeError("A record is too long");
    engine.batch.set(record.bytes, offset);
    const end = offset + record.bytes.length;
    placed.push({ record, offset, end });
    offset = end;
  }
  return placed;
}

/**
 * Feeds the processes that records of a maker speak of to an engine.
 *
 * @param engine The engine.
 * @param maker The maker.
 */
export function startProcesses(engine: Engine, maker: RecordMaker): void {
  for (const bytes of maker.start()) {
    engine.batch.set(bytes);
    engine.scan(bytes.length);
  }
}

/**
 * Scans records that were never seen before; only the scan is timed.
 *
 * @param work Rules and records.
 * @param options `kind` and number of the records.
 * @returns Counts and time.
 */
export function scanWork(
  { engine, makers }: Work,
  { kind, records }: { readonly kind: WorkKind; readonly records: number },
): Scanned {
  const maker = makers[kind];
  let [done, hits, ms] = [0, 0, 0];
  while (done < records) {
    const placed = fillBatch(engine, { most: records - done, next: () => maker[kind]() });
    const length = placed.at(-1)?.end ?? 0;
    const start = performance.now();
    hits += engine.scan(length).length;
    ms += performance.now() - start;
    done += placed.length;
  }
  return { records: done, hits, seconds: ms / 1000 };
}
