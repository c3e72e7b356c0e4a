import { buildIndicators } from "../../agent/indicators/build.ts";
import { IndicatorLookup } from "../../agent/indicators/lookup.ts";
import type { LoadedIndicators } from "../../agent/indicators/messages.ts";
import {
  encodeSet,
  IndicatorSet,
  keyOf,
  makeIndicator,
  SetImage,
} from "../../common/indicators/mod.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { randomNumbers } from "./_random.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

const SEED = 20_268;
const COUNTS: readonly (readonly [name: string, count: number])[] = [
  ["10000", 10_000],
  ["1000000", 1_000_000],
];
const NOW_MS = Date.parse("2026-01-01T00:00:00Z");
/** Values asked for that are not listed. */
const OTHERS = 200_000;
const ROUNDS = 30;
const BLOOM_HEADER_BYTES = 40;

type Random = (below: number) => number;

function path(random: Random): string {
  return `/opt/${random(2 ** 31).toString(36)}/${random(2 ** 31).toString(36)}/model.bin`;
}

/** A set with a third of paths, addresses and hashes each, as the file has it. */
function imageOf(count: number, random: Random): SetImage {
  const set = new IndicatorSet();
  function* listed(): Generator<Exclude<ReturnType<typeof makeIndicator>, string>> {
    for (let i = 0; i < count; i++) {
      const value = [
        { type: "path" as const, value: path(random) },
        { type: "ipv4" as const, value: `11.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
        { type: "sha256" as const, value: i.toString(16).padStart(64, "a") },
      ][i % 3];
      if (value === undefined) continue;
      const made = makeIndicator({ ...value, source: "bench" }, NOW_MS);
      if (typeof made !== "string") yield made;
    }
  }
  set.add(listed(), NOW_MS);
  return SetImage.read(encodeSet(set));
}

/** Nanoseconds that a scan of opens takes a record: median of rounds. */
function scanNs(engine: Engine, random: Random): number {
  let length = 0;
  let records = 0;
  for (;;) {
    const record = encodeRecord("open", {
      header: { pid: 1 + records },
      slots: { path: path(random) },
    });
    if (length + record.length > engine.batch.length) break;
    engine.batch.set(record, length);
    length += record.length;
    records++;
  }
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    engine.scan(length);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return (times[ROUNDS >> 1] ?? 0) * 1e6 / records;
}

/** Microseconds that a listed value takes, filter and exact set. */
function confirmUs(lookup: IndicatorLookup, image: SetImage): number {
  const step = Math.max(1, Math.floor(image.size / 10_000));
  const keys = Array.from(
    { length: Math.floor(image.size / step) },
    (_, i) => image.keyAt(i * step),
  );
  const start = performance.now();
  for (const { type, key } of keys) lookup.find(type, key, { nowMs: NOW_MS });
  return (performance.now() - start) * 1000 / keys.length;
}

/** Share of values that are not listed of which the filter does not deny it. */
function falsePositives(lookup: IndicatorLookup, random: Random): number {
  const before = lookup.counters;
  for (let i = 0; i < OTHERS; i++) {
    lookup.find("path", keyOf("path", `/srv${path(random)}`), { nowMs: NOW_MS });
  }
  const after = lookup.counters;
  return (after.maybe - before.maybe - (after.confirmed - before.confirmed)) / OTHERS;
}

/**
 * Measures indicators: how long a scan takes with them, what confirming costs, how large the filter
 * is and how often it errs.
 *
 * @returns Figures for 10,000 and for 1,000,000 indicators.
 */
export async function run(): Promise<BenchResult> {
  const random = randomNumbers(SEED);
  const bare = scanNs(await Engine.create(), randomNumbers(SEED + 1));
  const figures: BenchFigure[] = [
    { figure: "indicators_scan_without_ns", value: bare, unit: "ns/record" },
  ];
  const confirmed: number[] = [];
  for (const [name, count] of COUNTS) {
    const image = imageOf(count, random);
    const start = performance.now();
    const loaded: LoadedIndicators = buildIndicators(image, {
      engine: await Engine.create(),
      nowMs: NOW_MS,
    });
    const buildMs = performance.now() - start;
    const engine = await Engine.create();
    const lookup = new IndicatorLookup(engine);
    lookup.use(loaded);
    const scan = scanNs(engine, randomNumbers(SEED + 1));
    const confirm = confirmUs(lookup, image);
    confirmed.push(lookup.counters.confirmed);
    const figure = (of: string, value: number, unit: string): void => {
      figures.push({ figure: `indicators_${name}_${of}`, value, unit });
    };
    figure("scan_ns", scan, "ns/record");
    figure("confirm_us", confirm, "us");
    figure("filter_bytes", loaded.filter.length - BLOOM_HEADER_BYTES, "bytes");
    figure("file_bytes", image.parts.bytes.length, "bytes");
    figure("false_positive_percent", falsePositives(lookup, random) * 100, "%");
    figure("build_ms", buildMs, "ms");
  }
  return {
    workload:
      `paths, addresses and hashes; opens scanned without rules; ${OTHERS} paths that are ` +
      "not listed",
    seed: SEED,
    checksum: confirmed.join("/"),
    figures,
  };
}
