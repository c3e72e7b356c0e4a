import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { REGEX_HEADER, REGEX_HEADER_BYTES, REGEX_KINDS } from "../../common/sigma/regex/layout.ts";
import { compileRegex, parseRegex, requiredLiterals } from "../../common/sigma/regex/mod.ts";
import { Core } from "./core.ts";

const core = await Core.create();
const ENCODER = new TextEncoder();
const PROGRAM_AT = core.images[0].byteOffset;
const TEXT_AT = core.batch.byteOffset;

interface Flags {
  readonly ignoreCase?: boolean;
  readonly multiline?: boolean;
  readonly dotAll?: boolean;
}

const programs = new Map<string, Uint8Array>();

/** Compiled once: few patterns meet many texts here. */
function programOf(pattern: string, flags: Flags): Uint8Array {
  const key = JSON.stringify([pattern, flags]);
  const known = programs.get(key);
  if (known !== undefined) return known;
  const program = compileRegex(parseRegex(pattern, flags));
  programs.set(key, program);
  return program;
}

function run(pattern: string, text: string, flags: Flags = {}): boolean {
  const program = programOf(pattern, flags);
  core.memory.set(program, PROGRAM_AT);
  assertEquals(core.exports.regex_check(PROGRAM_AT, program.length), 1, "the program holds");
  const bytes = ENCODER.encode(text);
  core.memory.set(bytes, TEXT_AT);
  core.exports.set_budget(0xFFFF_FFFF);
  return core.exports.regex_run(PROGRAM_AT, TEXT_AT, bytes.length) !== 0;
}

function kindOf(pattern: string): number | undefined {
  return compileRegex(parseRegex(pattern))[REGEX_HEADER.kind];
}

const ATOM = fc.constantFrom(
  "a",
  "b",
  "A",
  ".",
  "[ab]",
  "[^a]",
  "\\w",
  "\\b",
  "^",
  "$",
  "\\n",
  "\\s",
);
const { pattern: PATTERN } = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
  pattern: fc.array(tie("piece"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
  piece: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    ATOM,
    fc.tuple(tie("pattern"), fc.constantFrom("", "*", "+", "?", "{1,3}", "{2}", "*?"))
      .map(([inner, times]) => `(?:${inner})${times}`),
    fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => `(${one}|${other})`),
  ),
}));
const TEXT = fc.array(fc.constantFrom("a", "b", "A", "c", "\n", " "), { maxLength: 16 })
  .map((parts) => parts.join(""));
const FLAGS = fc.record({
  ignoreCase: fc.boolean(),
  multiline: fc.boolean(),
  dotAll: fc.boolean(),
});

/**
 * The platform's matcher. A caret goes in as what it means: of one in the middle of a pattern, V8
 * was found to answer `/((?:.)*?(?:a)^|a)$/s.test("a")` with no after some thousand others.
 */
function oracle(pattern: string, text: string, flags: Flags): boolean {
  const { ignoreCase = false, multiline = false, dotAll = false } = flags;
  const letters = [ignoreCase && "i", multiline && "m", dotAll && "s"].filter((each) => each);
  const source = pattern.replaceAll(/(?<!\[)\^/g, multiline ? "(?<![^\\n])" : "(?<![^])");
  return new RegExp(source, letters.join("")).test(text);
}

Deno.test("regex_run() agrees with a backtracking matcher on small patterns", () => {
  let matched = 0;
  fc.assert(
    fc.property(PATTERN, TEXT, FLAGS, (pattern, text, flags) => {
      const expected = oracle(pattern, text, flags);
      matched += Number(expected);
      assertEquals(run(pattern, text, flags), expected);
    }),
    { numRuns: 2500 },
  );
  assert(matched > 250 && matched < 2250, `${matched} matched`);
});

Deno.test("regex_run() agrees where states are followed side by side", () => {
  const tail = "(?:a|b)(?:a|b|c){11}";
  assertEquals(kindOf(`a${tail}\\b`), REGEX_KINDS.states);
  const letters = fc.array(fc.constantFrom("a", "b", "c", " ", "\n"), { maxLength: 40 })
    .map((parts) => parts.join(""));
  const assertion = fc.constantFrom("\\b", "$", "\\B", "");
  fc.assert(
    fc.property(letters, assertion, FLAGS, (text, end, flags) => {
      const pattern = `a${tail}${end}`;
      assertEquals(run(pattern, text, flags), oracle(pattern, text, flags));
    }),
    { numRuns: 1500 },
  );
});

Deno.test("regex_run() finds every literal that it says a match needs", () => {
  fc.assert(
    fc.property(PATTERN, TEXT, FLAGS, (pattern, text, flags) => {
      const needs = requiredLiterals(parseRegex(pattern, flags));
      if (needs === undefined || !oracle(pattern, text, flags)) return;
      const folded = text.toLowerCase();
      assert(needs.some((literal) => folded.includes(literal.toLowerCase())), needs.join());
    }),
    { numRuns: 3000 },
  );
});

Deno.test("regex_run() reads UTF-8, and NUL as the space between arguments", () => {
  assert(run("^é+$", "ééé") && run("[α-ω]{2}", "xαβ") && !run("^[α-ω]$", "é"));
  assert(run("a b", "a\0b") && run("a\\sb", "a\0b"));
  assert(run("É", "É") && !run("É", "é") && run("(?i)É", "é"));
});

Deno.test("regex_run() takes steps in proportion to the text, on patterns that blow others up", () => {
  for (
    const pattern of ["(a+)+$", "(a|aa)+$", "(.*.*)+x", "(?:a|b)*a(?:a|b){12}c", "(a?){30}a{30}b"]
  ) {
    const steps = [25_000, 50_000, 100_000].map((length) => {
      run(pattern, `${"a".repeat(length)}!`);
      return core.exports.steps_taken();
    });
    const [one = 0, two = 0, four = 0] = steps;
    assert(two < one * 2.1 + 100, `${pattern}: ${steps}`);
    assert(four < one * 4.2 + 100, `${pattern}: ${steps}`);
  }
});

Deno.test("regex_run() ends when the budget is spent, and says no", () => {
  const pattern = "(?:a|b)*a(?:a|b){12}c";
  assertEquals(kindOf(pattern), REGEX_KINDS.states);
  const text = "a".repeat(1000) + "aaaaaaaaaaaac";
  assert(run(pattern, text));
  core.exports.set_budget(500);
  assertEquals(core.exports.regex_run(PROGRAM_AT, TEXT_AT, text.length), 0);
  assert(core.exports.steps_taken() <= 500);
});

Deno.test("regex_check() refuses every program with a damaged header or state", () => {
  for (const pattern of ["ab+c", "(?:a|b)*a(?:a|b){12}\\b"]) {
    const program = compileRegex(parseRegex(pattern));
    const refused = (damage: (bytes: Uint8Array) => void): boolean => {
      const bytes = program.slice();
      damage(bytes);
      core.memory.set(bytes, PROGRAM_AT);
      return core.exports.regex_check(PROGRAM_AT, bytes.length) === 0;
    };
    assert(!refused(() => {}), "whole");
    assert(refused((bytes) => bytes.fill(9, REGEX_HEADER.kind, 1)), "kind");
    assert(refused((bytes) => bytes.fill(0xFF, REGEX_HEADER.states, REGEX_HEADER.states + 4)));
    assert(refused((bytes) => bytes.fill(0xFF, REGEX_HEADER.class_of, REGEX_HEADER.class_of + 1)));
    assert(
      refused((bytes) => bytes.fill(0x7F, REGEX_HEADER_BYTES, REGEX_HEADER_BYTES + 4)),
      "first",
    );
    assert(
      refused((bytes) => bytes.fill(0x7F, REGEX_HEADER.start, REGEX_HEADER.start + 4)),
      "start",
    );
    core.memory.set(program, PROGRAM_AT);
    assertEquals(core.exports.regex_check(PROGRAM_AT, program.length - 8), 0, "too short");
    assertEquals(core.exports.regex_check(PROGRAM_AT, 8), 0, "no header");
  }
});
