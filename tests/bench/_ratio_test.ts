import { assert, assertEquals } from "@std/assert";
import { ratioOf } from "./_ratio.ts";

Deno.test("ratioOf() gives the median and the ranks of its interval", () => {
  const ratios = Array.from({ length: 25 }, (_, i) => 1 + i / 100);
  const { median, low, high } = ratioOf([...ratios].reverse());
  assertEquals(median, 1.12);
  // Ranks 8 and 18 of 25 (Conover, Practical Nonparametric Statistics, table of the binomial).
  assertEquals([low, high], [1.07, 1.17]);
});

Deno.test("ratioOf() of few pairs is their whole range", () => {
  assertEquals(ratioOf([1.2, 1.0, 1.1]), { median: 1.1, low: 1.0, high: 1.2 });
  assert(Number.isNaN(ratioOf([]).median));
});
