import { bloomItemsMax } from "../../wasm/engine/bloom_size.ts";
import { BloomFilter, Engine } from "../../wasm/engine/mod.ts";
import { randomNumbers } from "./_random.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

const SEED = 20_261;
const KEY_BYTES = 64;
/** Keys in the filter. */
const KEYS = 8_000;
/** Keys asked for: as many as lie in the batch, half of them added before. */
const ASKED = 2 * KEYS;
const ROUNDS = 60;
const STRING_ROUNDS = 20;
const RATE = 0.01;
/** A filter that is larger than all caches. */
const LARGE_BYTES = 128 * 1024 * 1024;
const LARGE_ROUNDS = 20;

/** Nanoseconds of the fastest of three runs, a call. */
function fastest(calls: number, run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, (performance.now() - start) * 1e6 / calls);
  }
  return best;
}

/** Nanoseconds a lookup in a filter of 128 MiB, as full as it is made for, its lines all over it. */
async function largeLookup(keys: readonly string[]): Promise<number> {
  const engine = await Engine.create({ bloomBytes: LARGE_BYTES });
  const items = bloomItemsMax({ rate: RATE, blocked: true, bytesMax: LARGE_BYTES });
  const filter = new BloomFilter(engine, { items, rate: RATE, blocked: true });
  // Half of the bits are set, as 90 million keys would have it.
  const random = randomNumbers(SEED);
  const words = new Uint32Array(
    engine.core.bloom.buffer,
    engine.core.bloom.byteOffset,
    filter.size.bytes / 4,
  );
  for (let i = 0; i < words.length; i++) words[i] = random(2 ** 32);
  const encoder = new TextEncoder();
  keys.forEach((key, i) => engine.batch.set(encoder.encode(key), i * KEY_BYTES));
  const base = engine.batch.byteOffset;
  let hits = 0;
  return fastest(ASKED * LARGE_ROUNDS, () => {
    for (let round = 0; round < LARGE_ROUNDS; round++) {
      // Other keys each round: what they lead to is in no cache.
      for (let i = 0; i < ASKED; i++) engine.batch[i * KEY_BYTES + KEY_BYTES - 1] = hits++ & 0x7f;
      for (let i = 0; i < ASKED; i++) filter.hasAt(base + i * KEY_BYTES, KEY_BYTES);
    }
  });
}

/**
 * Measures lookups of 64-byte keys, half of them in the filter.
 *
 * @returns Nanoseconds a lookup, for keys in memory and for strings, both variants.
 */
export async function run(): Promise<BenchResult> {
  const engine = await Engine.create();
  const random = randomNumbers(SEED);
  const keys = Array.from({ length: ASKED }, () => {
    let key = "/opt/models/";
    while (key.length < KEY_BYTES) key += random(36).toString(36);
    return key;
  });
  const encoder = new TextEncoder();
  keys.forEach((key, i) => engine.batch.set(encoder.encode(key), i * KEY_BYTES));
  const base = engine.batch.byteOffset;
  const figures: BenchFigure[] = [];
  const found: number[] = [];
  for (const blocked of [false, true]) {
    const filter = new BloomFilter(engine, { items: KEYS, rate: RATE, blocked });
    keys.slice(0, KEYS).forEach((key) => filter.add(key));
    let hits = 0;
    const memory = fastest(ASKED * ROUNDS, () => {
      hits = 0;
      for (let round = 0; round < ROUNDS; round++) {
        for (let i = 0; i < ASKED; i++) if (filter.hasAt(base + i * KEY_BYTES, KEY_BYTES)) hits++;
      }
    });
    found.push(hits / ROUNDS);
    const strings = fastest(ASKED * STRING_ROUNDS, () => {
      for (let i = 0; i < STRING_ROUNDS; i++) for (const key of keys) filter.has(key);
    });
    const suffix = blocked ? "_blocked" : "";
    figures.push({ figure: `bloom_lookup${suffix}_ns`, value: memory, unit: "ns" });
    figures.push({ figure: `bloom_lookup_string${suffix}_ns`, value: strings, unit: "ns" });
  }
  figures.push({
    figure: "bloom_lookup_blocked_128mb_ns",
    value: await largeLookup(keys),
    unit: "ns",
  });
  return {
    workload: `${ASKED} keys of ${KEY_BYTES} bytes, ${KEYS} of them added, rate ${RATE}`,
    seed: SEED,
    checksum: found.join("/"),
    figures,
  };
}
