import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { GLOB_ANY, GLOB_ONE } from "../../common/sigma/image_layout.ts";
import { Core } from "./core.ts";

const core = await Core.create();
const ANY = String.fromCharCode(GLOB_ANY);
const ONE = String.fromCharCode(GLOB_ONE);
const TEXT_AT = core.batch.byteOffset + 32 * 1024;

function glob(pattern: string, text: string, cased = false): boolean {
  const encoder = new TextEncoder();
  const p = encoder.encode(pattern);
  const t = encoder.encode(text);
  core.memory.set(p, core.text);
  core.memory.set(t, TEXT_AT);
  return core.exports.glob_match(core.text, p.length, TEXT_AT, t.length, Number(cased)) !== 0;
}

/** Every way of matching, by dynamic programming over pattern and text. */
function oracle(pattern: string, text: string): boolean {
  const folded = text.toLowerCase().replaceAll("\0", " ");
  let reached = new Array<boolean>(folded.length + 1).fill(false);
  reached[0] = true;
  for (const element of pattern) {
    const next = new Array<boolean>(folded.length + 1).fill(false);
    for (let i = 0; i <= folded.length; i++) {
      if (element === ANY) next[i] = reached[i] === true || (i > 0 && next[i - 1] === true);
      else if (i > 0 && (element === ONE || element === folded[i - 1])) {
        next[i] = reached[i - 1] === true;
      }
    }
    reached = next;
  }
  return reached[folded.length] === true;
}

const word = (letters: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { maxLength }).map((parts) => parts.join(""));

Deno.test("glob_match() agrees with an oracle on short patterns", () => {
  const pattern = word(["a", "b", " ", ANY, ONE], 10);
  fc.assert(
    fc.property(pattern, word(["a", "b", "A", "B", "\0", " "], 14), (p, t) => {
      assertEquals(glob(p, t), oracle(p, t));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("glob_match() agrees with an oracle where the search goes on bit-parallel", () => {
  const before = core.stats[22] ?? 0;
  const run = fc.nat(90).map((n) => "a".repeat(n));
  const segment = fc.array(fc.oneof(run, fc.constantFrom("b", ONE, "a")), { maxLength: 5 });
  const pattern = fc.array(segment.map((parts) => parts.join("")), { maxLength: 3 })
    .map((segments) => ANY + segments.join(ANY) + ANY);
  const text = fc.array(fc.oneof(run, fc.constantFrom("b", "c")), { maxLength: 12 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(pattern, text, (p, t) => assertEquals(glob(p, t), oracle(p, t))),
    { numRuns: 2000 },
  );
  assert((core.stats[22] ?? 0) > before, "the bit-parallel search was never reached");
});

Deno.test("glob_match() finds a segment of over 64 elements behind a long near miss", () => {
  const near = "a".repeat(8000);
  const segment = "a".repeat(130) + ONE + "b";
  assert(glob(`${ANY}${segment}${ANY}`, `${near}xb!`));
  assert(!glob(`${ANY}${segment}${ANY}`, `${near}xc!`));
});

Deno.test("glob_match() cased takes letters as they are written, NUL still as space", () => {
  assert(glob(`A${ANY}b`, "Axb", true) && glob(`A${ONE}b`, "A b", true));
  assert(glob(`A b${ANY}`, "A\0bc", true));
  assert(!glob(`A${ANY}b`, "axb", true) && !glob(`${ANY}B${ANY}`, "abc", true));
});

Deno.test("glob_match() is true for a lone star, also on nothing", () => {
  assert(glob(ANY, "") && glob(ANY, "x") && glob(ANY + ANY, ""));
  assert(!glob(ONE, "") && glob("", "") && !glob("", "x"));
});
