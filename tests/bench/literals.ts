import { createHash } from "node:crypto";
import { compileRules } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { Random } from "../support/random.ts";
import { linesOf, type LiteralLengths, literalRules, literalSet } from "./literals/sets.ts";
import { PEERS } from "./literals/peers.ts";
import type { BenchFigure, BenchResult } from "./result.ts";

const SEED = 20_263;
const COUNTS = [1_000, 10_000] as const;
/** Lines of about 110 bytes: what fits into the batch. */
const LINES = 8_000;
const ROUNDS = 15;
/** Time that a peer may take on one set, in milliseconds; it stops at the end of a line. */
const PEER_MS = 400;

/** A line in the engine's memory. */
interface Placed {
  readonly at: number;
  readonly length: number;
}

/**
 * Measures how fast literals are found, letters in any case: lines that lie in the engine's memory,
 * one call a line; peers in the same process, on the same lines as strings.
 *
 * @returns Megabytes a second, and how many times those of each peer they are.
 */
export async function run(): Promise<BenchResult> {
  const random = new Random(SEED);
  const engine = await Engine.create();
  const figures: BenchFigure[] = [];
  const found: number[] = [];
  for (const lengths of ["long", "corpus"] as const) {
    for (const count of COUNTS) {
      const literals = await literalSet(lengths, { count, random });
      const lines = linesOf(literals, { count: LINES, random });
      const own = measureEngine(engine, { literals, lines });
      found.push(own.found);
      figures.push({ figure: nameOf(count, lengths, "mb_per_s"), value: own.rate, unit: "MB/s" });
      for (const peer of PEERS) {
        const rate = measurePeer(peer.prepare(literals), lines);
        figures.push({
          figure: nameOf(count, lengths, `times_${peer.name}`),
          value: own.rate / rate,
          unit: `times ${rate.toPrecision(3)} MB/s`,
          peer: peer.title,
        });
      }
    }
  }
  return {
    workload: `${LINES} lines; literals of 9 to 26 bytes, and as long as those of the corpus`,
    seed: SEED,
    checksum: createHash("sha256").update(found.join()).digest("hex").slice(0, 16),
    figures,
  };
}

function nameOf(count: number, lengths: LiteralLengths, what: string): string {
  return `literals_${count}_${lengths === "corpus" ? "corpus_" : ""}${what}`;
}

function measureEngine(
  engine: Engine,
  { literals, lines }: { readonly literals: readonly string[]; readonly lines: readonly string[] },
): { readonly rate: number; readonly found: number } {
  const set = compileRules(literalRules(literals));
  const [rejected] = set.rejected;
  if (rejected !== undefined) throw new RangeError(`Literals do not load: ${rejected.reason}`);
  engine.publish(set.image);
  const encoder = new TextEncoder();
  let at = engine.batch.byteOffset;
  const placed = lines.map((line): Placed => {
    const bytes = encoder.encode(line);
    engine.core.memory.set(bytes, at);
    at += bytes.length;
    return { at: at - bytes.length, length: bytes.length };
  });
  const { exports } = engine.core;
  const bytes = at - engine.batch.byteOffset;
  const rates: number[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round++) {
    found = 0;
    const start = performance.now();
    for (const line of placed) found += exports.literals_run(0, line.at, line.length);
    rates.push(bytes / 1000 / (performance.now() - start));
  }
  checkFound(found, { literals, lines });
  return { rate: rates.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? NaN, found };
}

/** Looks for each literal in each line. */
function checkFound(
  found: number,
  { literals, lines }: { readonly literals: readonly string[]; readonly lines: readonly string[] },
): void {
  const text = lines.map((line) => line.toLowerCase());
  const wanted = literals.reduce(
    (sum, literal) => sum + text.filter((line) => line.includes(literal)).length,
    0,
  );
  if (found !== wanted) throw new RangeError(`Found ${found} literals, there are ${wanted}`);
}

function measurePeer(search: (line: string) => number, lines: readonly string[]): number {
  let bytes = 0;
  // Once over for its compiler, then for the clock.
  for (const warm of [true, false]) {
    const start = performance.now();
    bytes = 0;
    for (const line of lines) {
      search(line);
      bytes += line.length;
      if (performance.now() - start > PEER_MS / (warm ? 4 : 1)) break;
    }
    if (!warm) return bytes / 1000 / (performance.now() - start);
  }
  return NaN;
}
