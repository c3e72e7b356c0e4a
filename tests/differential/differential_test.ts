import { assert, assertEquals } from "@std/assert";
import { Comparer } from "./compare.ts";
import { minimised } from "./minimise.ts";
import { ReferenceRule } from "./reference/rule.ts";
import { runDifferential } from "./run.ts";

/** Of the run in all tests; `deno task test:differential` runs a million. */
const PAIRS = 10_000;
const SEEDS = [3, 5, 8];

Deno.test("engine and reference agree on generated rules and events", async () => {
  const comparer = await Comparer.create();
  for (const seed of SEEDS) {
    const { pairs, hits, disagreements, kept } = runDifferential(comparer, { pairs: PAIRS, seed });
    assertEquals(kept, []);
    assertEquals(disagreements, 0);
    assert(pairs >= PAIRS && hits > pairs / 20 && hits < pairs / 2, `${hits} of ${pairs} fire`);
  }
});

/** A reader that takes the modifier `cased` for none. */
function uncased(text: string): ReferenceRule {
  return new ReferenceRule(text.replaceAll("|cased", ""));
}

Deno.test("Comparer finds a side that forgets a modifier", async () => {
  const rule = "title: T\nid: t\nlogsource: {}\ndetection: { s: { A|cased: aB }, condition: s }";
  const events = ["aB", "ab", "b"].map((value) => new Map([["A", value]]));
  const right = await Comparer.create();
  assertEquals(right.compare([rule], events), { pairs: 3, hits: 1, disagreements: [] });
  const wrong = await Comparer.create({ reference: uncased });
  assertEquals(wrong.compare([rule], events).disagreements, [
    { rule: 0, event: new Map([["A", "ab"]]), engine: false, reference: true },
  ]);
});

Deno.test("Comparer names a rule that does not load", async () => {
  const comparer = await Comparer.create();
  const { pairs, disagreements } = comparer.compare(["title: T\ndetection: {}"], [new Map()]);
  assertEquals([pairs, disagreements.length], [0, 1]);
  assert(typeof disagreements[0]?.engine === "object");
});

Deno.test("minimised() keeps only what the two disagree about", async () => {
  const comparer = await Comparer.create({ reference: uncased });
  const rule = `
title: T
id: t
logsource: {}
detection:
  one: { A|contains|cased: [zzz, 'xBz'], B: null }
  two: { C|endswith: any }
  condition: one and not two
`;
  const event = new Map([["A", "12xbz34"], ["C", "none"], ["D", "more"]]);
  const small = minimised(comparer, { rule, event });
  assertEquals([...small.event], [["A", "b"]]);
  assertEquals(
    small.rule,
    "title: T\nlogsource: {}\ndetection:\n  one:\n    A|contains|cased:\n      - B\n" +
      "  condition: one\n",
  );
});
