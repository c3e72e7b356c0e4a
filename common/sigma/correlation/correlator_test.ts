import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../config/errors.ts";
import { type CorrelationKeys, correlations, hit } from "./_rules_test_support.ts";
import { SlowCorrelator } from "./_slow_test_support.ts";
import { Correlator } from "./correlator.ts";
import type { CorrelationInput } from "./hit.ts";
import { HITS_PER_GROUP_MAX, MATCH_MEMBERS_MAX } from "./limits.ts";

const COUNT_3: CorrelationKeys = {
  correlation: {
    type: "event_count",
    rules: ["a"],
    "group-by": ["User"],
    timespan: "10s",
    condition: { gte: 3 },
  },
};

function times(correlator: Correlator, hits: readonly CorrelationInput[]): readonly number[] {
  return hits.flatMap((one) => correlator.take(one)).map(({ lastMs }) => lastMs);
}

Deno.test("Correlator.take() names rule, group, value, window and hits", () => {
  const correlator = new Correlator(correlations(COUNT_3));
  const hits = [1000, 2000, 3000].map((timeMs) => hit("a", timeMs, { User: "root" }));
  assertEquals(correlator.take(hit("b", 500, { User: "root" })), []);
  assertEquals(correlator.take(hit("a", 900, { User: "other" })), []);
  const [match, ...others] = hits.flatMap((one) => correlator.take(one));
  assertEquals(others, []);
  assertEquals(match?.rule.id, "c0");
  assertEquals(match?.group, [{ name: "User", value: "root" }]);
  assertEquals([match?.value, match?.hits, match?.firstMs, match?.lastMs], [3, 3, 1000, 3000]);
  assertEquals(match?.members.map(({ id }) => id), hits.map(({ id }) => id));
  assertEquals(match?.id, hits[2]?.id);
});

Deno.test("Correlator.take() counts hits that are at most the time span apart", () => {
  const correlator = () => new Correlator(correlations(COUNT_3));
  const at = (...all: readonly number[]) => all.map((timeMs) => hit("a", timeMs, { User: "u" }));
  assertEquals(times(correlator(), at(0, 5000, 10_000)), [10_000]);
  assertEquals(times(correlator(), at(0, 5000, 10_001)), []);
});

Deno.test("Correlator.take() has a hit from some time before in no window, behind others too", () => {
  const first = { type: "first_seen", rules: ["a"], "group-by": ["User"], timespan: "1d" };
  const firsts = { type: "event_count", rules: ["new"], "group-by": [], timespan: "10s" };
  const correlator = new Correlator(correlations(
    { name: "new", correlation: first },
    { correlation: { ...firsts, condition: { gte: 2 } } },
    COUNT_3,
  ));
  const before = ["u", "v", "u", "u"].map((User) => ({ ...hit("a", 0, { User }), isBefore: true }));
  const found = before.flatMap((one) => correlator.take(one));
  assertEquals(found.map(({ rule }) => rule.id), ["c0", "c0"]);
  const { rules } = correlator.stats;
  assertEquals(["c0", "c1", "c2"].map((id) => rules.get(id)?.untimed), [0, 2, 4]);
});

Deno.test("Correlator.take() matches once per group and time span, then again", () => {
  const correlator = new Correlator(correlations(COUNT_3));
  const hits = Array.from({ length: 31 }, (_, i) => hit("a", i * 1000, { User: "u" }));
  assertEquals(times(correlator, hits), [2000, 13_000, 24_000]);
  assertEquals(correlator.stats.rules.get("c0")?.repeated, 26);
});

Deno.test("Correlator.take() finds a window that a late hit completes, drops one too late", () => {
  const correlator = new Correlator(correlations(COUNT_3), { latenessMs: 20_000 });
  const at = (timeMs: number) => hit("a", timeMs, { User: "u" });
  assertEquals(times(correlator, [at(20_000), at(1000), at(9000)]), []);
  assertEquals(times(correlator, [at(500)]), [9000]);
  assertEquals(times(correlator, [at(40_001), at(20_000.5)]), []);
  assertEquals(correlator.stats.rules.get("c0")?.late, 1);
});

Deno.test("Correlator.take() takes an event that comes twice once", () => {
  const correlator = new Correlator(correlations(COUNT_3));
  const same = hit("a", 1000, { User: "u" });
  assertEquals(times(correlator, [same, same, same, hit("a", 1001, { User: "u" })]), []);
});

Deno.test("Correlator.take() hands a match to the correlations that refer to it", () => {
  const outer: CorrelationKeys = {
    correlation: {
      type: "temporal_ordered",
      rules: ["inner", "b"],
      "group-by": ["User"],
      timespan: "1m",
    },
  };
  const correlator = new Correlator(correlations({ ...COUNT_3, name: "inner" }, outer));
  const hits = [1, 2, 3].map((timeMs) => hit("a", timeMs, { User: "u" }));
  const found = [...hits, hit("b", 4, { User: "u" })].flatMap((one) => correlator.take(one));
  assertEquals(found.map(({ rule, members }) => [rule.id, members.length]), [["c0", 3], ["c1", 2]]);
  assertEquals(found[1]?.members[0]?.id, hits[2]?.id);
});

Deno.test("Correlator.take() leaves out hits without the fields that are asked for, counted", () => {
  const sum: CorrelationKeys = {
    correlation: {
      type: "value_sum",
      rules: ["a"],
      "group-by": ["User"],
      timespan: "10s",
      condition: { field: "Bytes", gte: 10 },
    },
  };
  const correlator = new Correlator(correlations(sum));
  const hits = [
    hit("a", 1, { Bytes: "100" }),
    hit("a", 2, { User: "u" }),
    hit("a", 3, { User: "u", Bytes: "0x64" }),
    hit("a", 4, { User: "u", Bytes: "4.5" }),
    hit("a", 5, { User: "u", Bytes: " 5.5 " }),
  ];
  assertEquals(times(correlator, hits), [5]);
  const counters = correlator.stats.rules.get("c0");
  assertEquals([counters?.ungrouped, counters?.valueless, counters?.matched], [1, 2, 1]);
});

Deno.test("Correlator.take() names at most so many hits, one of each member among them", () => {
  const both: CorrelationKeys = {
    correlation: { type: "temporal", rules: ["a", "b"], timespan: "1h" },
  };
  const correlator = new Correlator(correlations(both));
  const many = Array.from({ length: 500 }, (_, i) => hit("a", i));
  const [match] = [...many, hit("b", 500)].flatMap((one) => correlator.take(one));
  assertEquals(match?.members.length, MATCH_MEMBERS_MAX);
  assertEquals(match?.members.at(-1)?.member, 1);
  assertEquals(match?.hits, 501);
});

Deno.test("Correlator keeps so many groups, lets the least recently hit one go, counted", () => {
  const correlator = new Correlator(correlations(COUNT_3), { groups: 2 });
  const hits = ["u", "v", "u", "w", "u"].map((User, i) => hit("a", i, { User }));
  assertEquals(times(correlator, hits), [4]);
  assertEquals(times(correlator, [hit("a", 5, { User: "v" }), hit("a", 6, { User: "v" })]), []);
  assertEquals(correlator.stats.groups, 2);
  assertEquals(correlator.stats.rules.get("c0")?.evictedGroups, 2);
});

Deno.test("Correlator stays under its bytes, and a flood pushes out its own groups alone", () => {
  const quiet = { correlation: { ...COUNT_3.correlation, rules: ["b"] } };
  const bytes = 64 * 1024;
  const correlator = new Correlator(correlations(COUNT_3, quiet), { bytes });
  correlator.take(hit("b", 0, { User: "u" }));
  correlator.take(hit("b", 1, { User: "u" }));
  for (let i = 0; i < 2000; i++) {
    correlator.take(hit("a", i, { User: `${i}`.repeat(200) }));
    assert(correlator.stats.bytes <= bytes);
  }
  const { rules, groups } = correlator.stats;
  assertEquals(rules.get("c0")?.evictedBytes, 2000 - groups + 1);
  assertEquals(rules.get("c1")?.evictedBytes, 0);
  assertEquals(times(correlator, [hit("b", 2, { User: "u" })]), [2]);
});

Deno.test("Correlator keeps so many hits of a group, counted", () => {
  const many = {
    correlation: { ...COUNT_3.correlation, timespan: "1d", condition: { gte: 5000 } },
  };
  const correlator = new Correlator(correlations(many));
  for (let i = 0; i < HITS_PER_GROUP_MAX + 7; i++) correlator.take(hit("a", i, { User: "u" }));
  assertEquals(correlator.stats.rules.get("c0")?.hitsDropped, 7);
});

Deno.test("Correlator.expire() lets go of what no hit can complete any more", () => {
  const correlator = new Correlator(correlations(COUNT_3), { latenessMs: 5000 });
  correlator.take(hit("a", 0, { User: "u" }));
  correlator.take(hit("a", 1, { User: "v" }));
  assertEquals(correlator.expire(15_000), 0);
  assertEquals(correlator.expire(15_001), 1);
  assertEquals(correlator.stats.groups, 1);
});

Deno.test("Correlator runs the correlations of its scope", () => {
  const all = correlations(COUNT_3, { ...COUNT_3, scope: "fleet" });
  const ran = (scope?: "host" | "fleet") => {
    const correlator = new Correlator(all, scope === undefined ? {} : { scope });
    return [1, 2, 3].flatMap((timeMs) => correlator.take(hit("a", timeMs, { User: "u" })))
      .map(({ rule }) => rule.id);
  };
  assertEquals([ran(), ran("host"), ran("fleet")], [["c0", "c1"], ["c0"], ["c1"]]);
});

Deno.test("Correlator.restore() goes on where a correlator was saved", () => {
  const rules = correlations(COUNT_3);
  const before = new Correlator(rules);
  before.take(hit("a", 1000, { User: "u" }));
  before.take(hit("a", 2000, { User: "u" }));
  const after = new Correlator(rules);
  assertEquals(after.restore(before.save()), { groups: 1, skipped: 0 });
  assertEquals(after.stats.bytes, before.stats.bytes);
  assertEquals(times(after, [hit("a", 3000, { User: "u" })]), [3000]);
  const again = new Correlator(rules);
  again.restore(after.save());
  const later = [4000, 5000, 6000].map((timeMs) => hit("a", timeMs, { User: "u" }));
  assertEquals(times(again, later), [], "the match before the restart still counts");
});

Deno.test("Correlator.restore() skips windows of a correlation that asks for something else", () => {
  const before = new Correlator(correlations(COUNT_3));
  before.take(hit("a", 1000, { User: "u" }));
  const other = { correlation: { ...COUNT_3.correlation, timespan: "20s" } };
  const after = new Correlator(correlations(other));
  assertEquals(after.restore(before.save()), { groups: 0, skipped: 1 });
});

Deno.test("Correlator.restore() refuses bytes that are not what was saved", () => {
  const correlator = new Correlator(correlations(COUNT_3));
  correlator.take(hit("a", 1000, { User: "u" }));
  const saved = correlator.save();
  const refused = (bytes: Uint8Array<ArrayBuffer>) => {
    const error = assertThrows(
      () => new Correlator(correlations(COUNT_3)).restore(bytes),
      ImmuneError,
    );
    assertEquals(error.code, "STATE_UNUSABLE");
  };
  fc.assert(
    fc.property(fc.nat(saved.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const broken = saved.slice();
      broken[at] = (broken[at] ?? 0) ^ flip;
      refused(broken);
      refused(saved.slice(0, at));
    }),
    { numRuns: 50 },
  );
});

const FIELD = fc.constantFrom("p", "q");
const VALUE = fc.constantFrom("1", "2", "3.5", "-4", "x");
const HIT = fc.record({
  rule: fc.constantFrom("a" as const, "b" as const, "c" as const),
  step: fc.integer({ min: -6, max: 12 }).map((steps) => steps * 500),
  p: fc.option(fc.constantFrom("g", "h"), { freq: 6 }),
  q: fc.option(VALUE, { freq: 6 }),
  again: fc.boolean(),
});
const BOUND = fc.record({
  op: fc.constantFrom("gt", "gte", "lt", "lte", "eq", "neq"),
  number: fc.integer({ min: 0, max: 4 }),
}).map(({ op, number }) => ({ [op]: number }));
const RULES = fc.subarray(["a", "b", "c"], { minLength: 1 });
const OF_RULES = fc.constantFrom("a and b", "a or (b and not c)", "not a and c", "(a or b) and c");

const SIMPLE = fc.oneof(
  fc.record({
    type: fc.constantFrom("event_count", "temporal", "temporal_ordered"),
    rules: RULES,
    condition: BOUND,
  }),
  fc.record({ type: fc.constantFrom("temporal", "temporal_ordered"), condition: OF_RULES }),
  fc.record({
    type: fc.constantFrom("value_count", "value_sum", "value_avg", "value_median"),
    rules: RULES,
    condition: fc.tuple(BOUND, BOUND, FIELD).map(([a, b, field]) => ({ ...a, ...b, field })),
  }),
  fc.record({
    type: fc.constant("value_percentile"),
    rules: RULES,
    condition: fc.tuple(BOUND, fc.integer({ min: 0, max: 100 }))
      .map(([bound, percentile]) => ({ ...bound, percentile, field: "q" })),
  }),
  fc.record({
    type: fc.constant("value_percentile"),
    rules: RULES,
    condition: fc.tuple(fc.constantFrom("lt", "gte"), fc.constantFrom(20, 50, 100))
      .map(([op, share]) => ({ [op]: share, field: "q" })),
  }),
);
const CORRELATION = fc.tuple(
  SIMPLE,
  fc.subarray(["p", "q"]),
  fc.constantFrom("2s", "5s", "20s"),
).map(([keys, groupBy, timespan]) => ({ ...keys, "group-by": groupBy, timespan }));

Deno.test("Correlator agrees with one that computes every window from all hits", () => {
  let matched = 0;
  fc.assert(
    fc.property(
      CORRELATION,
      BOUND,
      fc.constantFrom(0, 3000, 60_000),
      fc.array(HIT, { maxLength: 40 }),
      (inner, bound, latenessMs, steps) => {
        const rules = correlations({ name: "inner", correlation: inner }, {
          correlation: {
            type: "event_count",
            rules: ["inner", "b"],
            "group-by": ["p"],
            timespan: "9s",
            condition: bound,
          },
        });
        let correlator = new Correlator(rules, { latenessMs });
        const slow = new SlowCorrelator(rules, latenessMs);
        let timeMs = 100_000;
        steps.forEach(({ rule, step, p, q, again }, i) => {
          timeMs += step;
          const fields = { ...(p === null ? {} : { p }), ...(q === null ? {} : { q }) };
          const input = hit(rule, timeMs, fields);
          for (const one of again ? [input, input] : [input]) {
            const found = correlator.take(one).map(({ index, group, value, hits, ...window }) => ({
              index,
              group: group.map((part) => part.value),
              value,
              hits,
              firstMs: window.firstMs,
              lastMs: window.lastMs,
            }));
            matched += found.length;
            assertEquals(found, slow.take(one));
          }
          if (i % 7 !== 6) return;
          const restarted = new Correlator(rules, { latenessMs });
          restarted.restore(correlator.save());
          correlator = restarted;
        });
      },
    ),
    { numRuns: 600 },
  );
  assert(matched > 100, `only ${matched} matches`);
});
