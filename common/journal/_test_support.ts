import { HEADER_BYTES } from "../record/layout.ts";
import type { AppendOptions } from "./options.ts";

/** Seed of every test of the journal that draws numbers. */
export const SEED = 20;

/** Numbers in [0, 1) from a seed (mulberry32), so that a failing round can be had again. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Records of a given count whose bytes follow from a seed. */
export function sampleRecords(count: number, seed: number): Uint8Array {
  const next = numbersFrom(seed);
  const lengths = Array.from({ length: count }, () => HEADER_BYTES + 8 * Math.floor(next() * 12));
  const records = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  const view = new DataView(records.buffer);
  let offset = 0;
  for (const length of lengths) {
    for (let at = 4; at < length; at += 4) view.setUint32(offset + at, next() * 2 ** 32, true);
    view.setUint32(offset, length, true);
    offset += length;
  }
  return records;
}

/** Options of an append of so many records. */
export function origin(recordCount: number): AppendOptions {
  return {
    recordCount,
    bootId: "0b".repeat(16),
    hostId: "0c".repeat(32),
    epoch: 3,
    wallOffsetNs: 1_700_000_000_000_000_000n,
  };
}

/** Runs a test in a folder of its own, which is gone afterwards. */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune-journal-" });
  try {
    await test(`${folder}/journal`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Paths of the segments in a journal's folder, in order. */
export function segmentPaths(folder: string): string[] {
  return [...Deno.readDirSync(folder)]
    .filter((entry) => entry.name.endsWith(".batches"))
    .map((entry) => `${folder}/${entry.name}`)
    .sort();
}
