import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeRecord } from "../../common/record/mod.ts";
import { SequenceGaps } from "./gaps.ts";

function records(source: number, sequences: readonly number[]): Uint8Array {
  return new Uint8Array(
    sequences.flatMap((sequence) => [...encodeRecord("fork", { header: { source, sequence } })]),
  );
}

Deno.test("SequenceGaps counts a source that starts late from its first number", () => {
  const gaps = new SequenceGaps();
  assertEquals(gaps.observe(records(1, [3, 4])), 2);
  assertEquals(gaps.missing(1), 2);
});

Deno.test("SequenceGaps counts what is missing at the end when the source tells its last", () => {
  const gaps = new SequenceGaps();
  gaps.observe(records(1, [1, 2]));
  assertEquals(gaps.missing(1, 5), 3);
  assertEquals(gaps.missing(2, 5), 5);
});

Deno.test("SequenceGaps lets a late record fill its own gap", () => {
  const gaps = new SequenceGaps();
  gaps.observe(records(1, [1, 3]));
  assertEquals(gaps.missing(1), 1);
  gaps.observe(records(1, [2]));
  assertEquals(gaps.missing(1), 0);
});

Deno.test("SequenceGaps agrees with a set over any loss, any order within a batch", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (got) => {
      const gaps = new SequenceGaps();
      gaps.observe(records(7, got));
      assertEquals(gaps.missing(7), Math.max(...got) - new Set(got).size);
    }),
  );
});
