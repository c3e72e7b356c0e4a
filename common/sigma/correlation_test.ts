import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { CorrelationRule } from "./correlation_rule.ts";
import { CORRELATION_DEPTH_MAX } from "./limits.ts";
import { compileRules, type RuleSet } from "./rule_set.ts";

const RULES = ["a", "b", "c"].map((name) =>
  `title: ${name}\nid: id-${name}\nname: ${name}\nlogsource: {}\n` +
  "detection: { s: { A: x }, condition: s }\n"
);

function correlation(keys: string, head = "title: C\nid: c-1\n"): string {
  return `${head}correlation:\n${keys.split("\n").map((line) => `  ${line}`).join("\n")}\n`;
}

function load(...documents: readonly string[]): RuleSet {
  return compileRules([{ path: "t.yml", text: [...RULES, ...documents].join("---\n") }]);
}

function one(keys: string, head?: string): CorrelationRule {
  const { correlations, rejected } = load(correlation(keys, head));
  assertEquals(rejected, []);
  const [only] = correlations;
  assert(only !== undefined);
  return only;
}

function refusal(keys: string): string {
  const { correlations, rejected } = load(correlation(keys));
  assertEquals(correlations, [], keys);
  assertEquals(rejected.map(({ id, code }) => [id, code]), [["c-1", "RULE_INVALID"]], keys);
  assert((rejected[0]?.line ?? 0) > 20, "line of the correlation");
  return rejected[0]?.reason ?? "";
}

Deno.test("a correlation has its references, groups, aliases and bounds", () => {
  const found = one(
    "type: value_count\nrules: [id-b, a]\ngroup-by: [ip, User]\ntimespan: 90m\n" +
      "aliases:\n  ip: { a: SourceIp, b: DestinationIp }\ncondition: { field: ip, gte: 3, lt: 9 }",
    "title: C\nid: c-1\nlevel: high\ntags: [attack.t1046]\nimmune: { scope: fleet }\n",
  );
  assertEquals(found.members, [
    {
      reference: "id-b",
      kind: "rule",
      index: 1,
      groupFields: ["DestinationIp", "User"],
      valueFields: ["DestinationIp"],
    },
    {
      reference: "a",
      kind: "rule",
      index: 0,
      groupFields: ["SourceIp", "User"],
      valueFields: ["SourceIp"],
    },
  ]);
  assertEquals([found.groupBy, found.valueNames], [["ip", "User"], ["ip"]]);
  assertEquals([found.timespanMs, found.level, found.scope], [5_400_000, "high", "fleet"]);
  assertEquals([found.generate, found.path, found.line], [false, "t.yml", 19]);
  assertEquals(found.condition, {
    kind: "bounds",
    bounds: [{ op: "gte", number: 3 }, { op: "lt", number: 9 }],
  });
  assertEquals(structuredClone(found), found);
});

Deno.test("a correlation of each type loads with what it needs", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["event_count", "{ gt: 5 }"],
    ["value_sum", "{ field: Bytes, gte: 1.5 }"],
    ["value_avg", "{ field: Bytes, neq: 0 }"],
    ["value_median", "{ field: Bytes, eq: 4 }"],
    ["value_percentile", "{ field: Bytes, percentile: 95, gt: 100 }"],
    ["temporal", "{ gte: 2 }"],
    ["temporal_ordered", "a and b"],
  ];
  for (const [type, condition] of cases) {
    const keys = `type: ${type}\nrules: [a, b]\ntimespan: 1h\ncondition: ${condition}`;
    assertEquals(one(keys).type, type);
  }
  assertEquals(
    one(
      "type: value_percentile\nrules: a\ntimespan: 1d\ncondition:\n" +
        "  { field: x, percentile: 1, lte: 1 }",
    ).percentile,
    1,
  );
  assertEquals(one("type: temporal\nrules: [a, b]\ntimespan: 5m").condition, {
    kind: "bounds",
    bounds: [{ op: "gte", number: 2 }],
  });
  const seen = one("type: first_seen\nrules: a\ngroup-by: Image\ntimespan: 7d");
  assertEquals(seen.condition, { kind: "bounds", bounds: [] });
  assertEquals([seen.groupBy, seen.timespanMs], [["Image"], 604_800_000]);
});

Deno.test("a temporal correlation takes a condition over its rules, which it may leave to it", () => {
  const found = one("type: temporal\ntimespan: 5m\ncondition: (a or b) and not c");
  assertEquals(found.members.map(({ reference }) => reference), ["a", "b", "c"]);
  assertEquals(found.condition, {
    kind: "expression",
    expression: {
      kind: "and",
      of: [
        { kind: "or", of: [{ kind: "member", member: 0 }, { kind: "member", member: 1 }] },
        { kind: "not", of: { kind: "member", member: 2 } },
      ],
    },
  });
});

Deno.test("a condition over rules may ask for some of them, by their names", () => {
  const condition = (text: string) =>
    one(`type: temporal\nrules: [a, b, c]\ntimespan: 5m\ncondition: ${text}`).condition;
  const members = [0, 1, 2].map((member) => ({ kind: "member" as const, member }));
  assertEquals(condition("2 of them"), {
    kind: "expression",
    expression: { kind: "at_least", count: 2, of: members },
  });
  assertEquals(condition("all of them"), {
    kind: "expression",
    expression: { kind: "at_least", count: 3, of: members },
  });
  for (
    const [text, reason] of [["4 of them", "wants 4 of 3"], ["1 of z*", `"z*": no rule is so`]]
  ) {
    const { rejected } = load(
      correlation(`type: temporal\nrules: [a, b, c]\ntimespan: 5m\ncondition: ${text}`),
    );
    assert(rejected[0]?.reason.includes(reason ?? ""), rejected[0]?.reason);
  }
});

Deno.test("generate stands in the correlation or beside it, sequences in our key", () => {
  const keys = "type: event_count\nrules: a\ntimespan: 1m\ncondition: { gte: 2 }";
  assertEquals(one(`${keys}\ngenerate: true`).generate, true);
  assertEquals(one(keys, "title: C\nid: c-1\ngenerate: true\n").generate, true);
  const { sequences } = one(
    keys,
    "title: C\nid: c-1\nimmune: { must_sequences: [[{ A: x }, { A: x, B: 1 }]] }\n",
  );
  assertEquals(sequences, { must: [[{ A: "x" }, { A: "x", B: "1" }]], mustNot: [] });
});

Deno.test("correlations refer to correlations, those referred to come first", () => {
  const outer = correlation(
    "type: temporal_ordered\nrules: [inner, b]\ntimespan: 1h",
    "title: O\nid: o-1\n",
  );
  const inner = correlation(
    "type: event_count\nrules: a\ntimespan: 1m\ncondition: { gte: 2 }",
    "title: I\nid: i-1\nname: inner\n",
  );
  const { correlations, rejected } = load(outer, inner);
  assertEquals(rejected, []);
  assertEquals(correlations.map(({ id }) => id), ["i-1", "o-1"]);
  assertEquals(correlations[1]?.members.map(({ kind, index }) => [kind, index]), [
    ["correlation", 0],
    ["rule", 1],
  ]);
});

Deno.test("a correlation that does not hold is named, with its place", () => {
  const needed = "rules: [a, b]\ntimespan: 1h\n";
  const cases: readonly (readonly [string, string])[] = [
    [`type: near\n${needed}`, `Key "correlation.type"`],
    [`type: temporal\n${needed}unknown: x`, "unknown"],
    [`type: event_count\n${needed}`, "needs a bound"],
    [`type: event_count\n${needed}condition: {}`, "needs a bound"],
    [`type: event_count\n${needed}condition: { gte: x }`, "condition"],
    [`type: event_count\n${needed}condition: { over: 5 }`, "condition"],
    [`type: event_count\n${needed}condition: { gte: 1, field: x }`, `takes no "field"`],
    [`type: event_count\n${needed}condition: a and b`, "takes no condition over rules"],
    [`type: value_count\n${needed}condition: { gte: 1 }`, `needs "field"`],
    [`type: value_sum\n${needed}condition: { gte: 1, field: [x, y] }`, `takes one "field"`],
    [`type: value_percentile\n${needed}condition: { gte: 1, percentile: 5 }`, `needs "field"`],
    [`type: value_percentile\n${needed}condition: { gte: 1, field: x, percentile: 101 }`, "100"],
    [`type: value_avg\n${needed}condition: { gte: 1, field: x, percentile: 5 }`, `"percentile"`],
    [`type: first_seen\n${needed}condition: { gte: 1 }`, "takes no condition"],
    [`type: temporal\n${needed}condition: a and`, "at character 6"],
    [`type: temporal\n${needed}condition: a and z`, `"z", which is not in "rules"`],
    [`type: temporal\n${needed}condition: a`, `leaves out "b"`],
    [`type: temporal\n${needed}condition: 1 of a*`, `leaves out "b"`],
    ["type: temporal\nrules: [a]\ntimespan: 1 hour", "Time span"],
    ["type: temporal\nrules: [a]\ntimespan: 367d", "Time span"],
    ["type: temporal\nrules: []\ntimespan: 1h", "no rules"],
    ["type: temporal\ntimespan: 1h", "no rules"],
    ["type: temporal\nrules: [a, id-a]\ntimespan: 1h", `names "id-a" twice`],
    ["type: temporal\nrules: [a, z]\ntimespan: 1h", `"z": no rule has this id or name`],
    ["type: temporal\nrules: [a]\ntimespan: 1h\naliases: { x: { b: F } }", `"b", which is no`],
    ["type: temporal\nrules: [a]\ntimespan: 1h\naliases: { x: { z: F } }", `"z": no rule`],
  ];
  for (const [keys, reason] of cases) {
    assert(refusal(keys).includes(reason), `${keys}: ${refusal(keys)}`);
  }
});

Deno.test("a correlation of what did not load, or of two rules of one name, is named", () => {
  const broken = "title: B\nid: id-x\nname: x\nlogsource: {}\ndetection: { s: { A|foo: y } }\n";
  const keys = "type: temporal\nrules: [x]\ntimespan: 1h";
  const lost = load(broken, correlation(keys)).rejected;
  assert(
    lost.some(({ reason }) => reason.includes(`"x", which did not load`)),
    lost.at(-1)?.reason,
  );
  const twin = RULES[0]?.replace("id-a", "id-x").replace("name: a", "name: b") ?? "";
  const both = load(twin, correlation("type: temporal\nrules: [b]\ntimespan: 1h")).rejected;
  assert(both[0]?.reason.includes("more than one rule"), both[0]?.reason);
});

Deno.test("correlations in a circle are each named, and those that refer to them", () => {
  const link = (name: string, rules: string) =>
    correlation(
      `type: temporal\nrules: [${rules}]\ntimespan: 1h`,
      `title: ${name}\nname: ${name}\n`,
    );
  const { correlations, rejected } = load(
    link("w", "x"),
    link("x", "y, a"),
    link("y", "z"),
    link("z", "x"),
    link("self", "self"),
    link("good", "a"),
  );
  assertEquals(correlations.map(({ name }) => name), ["good"]);
  const reasons = new Map(rejected.map(({ title, reason }) => [title, reason]));
  for (const title of ["x", "y", "z"]) {
    assertEquals(
      reasons.get(title),
      `Correlations refer to each other: "x" to "y" to "z" to "x"; break the circle`,
    );
  }
  assert(reasons.get("self")?.includes(`"self" to "self"`), reasons.get("self"));
  assert(reasons.get("w")?.includes(`"x", which did not load`), reasons.get("w"));
});

Deno.test("a chain of correlations over the bound is named", () => {
  const chain = Array.from({ length: CORRELATION_DEPTH_MAX + 1 }, (_, i) =>
    correlation(
      `type: temporal\nrules: [${i === 0 ? "a" : `n${i - 1}`}]\ntimespan: 1h`,
      `title: n${i}\nname: n${i}\n`,
    ));
  for (const documents of [chain, chain.toReversed()]) {
    const { correlations, rejected } = load(...documents);
    assertEquals(correlations.length, CORRELATION_DEPTH_MAX);
    const found = rejected.map(({ title, reason }) => [title, reason.includes("nested deeper")]);
    assertEquals(found, [[`n${CORRELATION_DEPTH_MAX}`, true]]);
  }
});

Deno.test("any references resolve or are named, members before what refers to them", () => {
  const names = ["p", "q", "r", "s"] as const;
  const references = fc.uniqueArray(fc.constantFrom("a", "b", "zz", ...names), { minLength: 1 });
  fc.assert(
    fc.property(fc.tuple(...names.map(() => references)), (lists) => {
      const { correlations, rejected } = load(...names.map((name, i) =>
        correlation(
          `type: temporal\nrules: [${lists[i]}]\ntimespan: 1h`,
          `title: ${name}\nname: ${name}\n`,
        )
      ));
      assertEquals(correlations.length + rejected.length, names.length);
      correlations.forEach(({ members }, place) => {
        for (const { kind, index } of members) assert(kind === "rule" || index < place);
      });
      // What loads is what reaches rules alone.
      const reaches = (name: string, above: readonly string[]): boolean => {
        if (name === "a" || name === "b") return true;
        const list = lists[names.findIndex((one) => one === name)];
        return list !== undefined && !above.includes(name) &&
          list.every((inner) => reaches(inner, [...above, name]));
      };
      assertEquals(
        correlations.map(({ name }) => name).toSorted(),
        names.filter((name) => reaches(name, [])),
      );
    }),
    { numRuns: 60 },
  );
});
