import { compileRules, parseRules, readRuleSources } from "../../common/sigma/mod.ts";
import { testsOf } from "../../common/sigma/expression.ts";
import { assessPattern, compileRegex, parseRegex } from "../../common/sigma/regex/mod.ts";
import { PATTERN_LENGTH_MAX } from "../../common/sigma/regex/parse.ts";
import { Core } from "../../wasm/engine/core.ts";
import { ROOT } from "../support/immune.ts";
import type { BenchFigure, BenchResult } from "./result.ts";
import { SIGMA_CORPUS } from "../support/sigma_corpus.ts";

const SEED = 1;
const ROUNDS = 40;
/** Pattern that a backtracking matcher takes exponential time for, and the lengths of its text. */
const HOSTILE = "(a+)+$";
const LENGTHS = [25_000, 50_000, 100_000, 200_000] as const;

/** Patterns made to be long to judge: as long as loads, or with many branches to compare. */
const LONGEST: readonly string[] = [
  "a".repeat(PATTERN_LENGTH_MAX),
  repeated(200, (i) => `\\w{1,9}x${i}`),
  repeated(400, (i) => `.*a${String.fromCharCode(97 + i % 26)}`),
  repeated(600, (i) => `a${i}b`),
  "(".repeat(90) + "a|b" + ")+|c".repeat(90),
];

/** Times of judging patterns, and of the matcher while its text doubles. */
export async function run(): Promise<BenchResult> {
  const patterns = await patternsOfRules();
  const times = patterns.map(medianMs).sort((a, b) => a - b);
  const longest = Math.max(...LONGEST.map(medianMs));
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0;
  const core = await Core.create();
  const scans = LENGTHS.map((length) => ({ length, ms: scanMs(core, length) }));
  const figures: BenchFigure[] = [
    { figure: "pattern_check_median_us", value: at(0.5) * 1000, unit: "µs" },
    { figure: "pattern_check_slowest_us", value: at(1) * 1000, unit: "µs" },
    { figure: "pattern_check_made_to_be_slow_ms", value: longest, unit: "ms" },
    ...scans.map(({ length, ms }) => ({
      figure: `regex_hostile_${length / 1000}kb_ms`,
      value: ms,
      unit: "ms",
    })),
  ];
  return {
    workload: `${patterns.length} expressions of rules; ${HOSTILE} on up to ${
      LENGTHS.at(-1)
    } bytes`,
    seed: SEED,
    checksum: patterns.map((pattern) => assessPattern(pattern).verdict[0]).join(""),
    figures,
  };
}

/** Every expression of the packs and, where it is there, of the corpus; all of them load. */
async function patternsOfRules(): Promise<readonly string[]> {
  const sources = await readRuleSources(`${ROOT}rules`);
  const corpus = await readRuleSources(SIGMA_CORPUS).catch(() => []);
  const all = [...sources, ...corpus];
  const refused = compileRules(all).rejected.filter(({ reason }) => /pattern/i.test(reason));
  if (refused.length > 0) throw new Error(`Expressions did not load: ${refused[0]?.reason}`);
  const patterns = parseRules(all, {}).rules.flatMap(({ rule }) =>
    [...testsOf(rule.expression)].flatMap(({ criterion }) =>
      criterion.type === "regex" ? [criterion.source] : []
    )
  );
  return [...new Set(patterns)];
}

function medianMs(pattern: string): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    assessPattern(pattern);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0;
}

function scanMs({ exports, memory, images, batch }: Core, length: number): number {
  const program = compileRegex(parseRegex(HOSTILE));
  const at = images[0].byteOffset;
  memory.set(program, at);
  if (exports.regex_check(at, program.length) !== 1) throw new Error("The program does not hold");
  memory.fill("a".charCodeAt(0), batch.byteOffset, batch.byteOffset + length);
  memory[batch.byteOffset + length - 1] = "!".charCodeAt(0);
  const times = Array.from({ length: ROUNDS }, () => {
    exports.set_budget(0xFFFF_FFFF);
    const start = performance.now();
    exports.regex_run(at, batch.byteOffset, length);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0;
}

function repeated(count: number, branch: (number: number) => string): string {
  return `(${Array.from({ length: count }, (_, i) => branch(i)).join("|")})+`;
}
