import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { verifyImage } from "./image.ts";
import { describeRejection } from "./rejection.ts";
import { compileRules } from "./rule_set.ts";

const RULE = `title: Fuzz
id: fuzz
level: high
tags: [attack.t1059]
logsource: { category: process_creation, product: linux }
detection:
  selection_a:
    Image|endswith: [/sh, /bash]
    CommandLine|contains|all: ['a*b', '?c']
    D|re|i: 'a(b|c)+d'
    E|windash|base64offset|contains: ' -x'
  selection_b: [{ A: null }, { B: '' }, { C|gte: 12 }, { F|cidr: 10.0.0.0/8 }, { G|exists: true }]
  selection_c: [{ H|fieldref: A }, { I|hour|neq: 5 }, keyword]
  filter: { ParentImage|startswith: /usr/ }
  condition: (1 of selection_* and not filter) or all of them
immune: { must: [{ A: x }], must_not: [] }
---
title: Many
correlation:
  { type: value_count, rules: [fuzz], timespan: 5m, condition: { field: A, gte: 2 } }
---
title: Filter
logsource: { product: linux }
filter: { rules: any, s: { User: x }, condition: s }
`;

const PIECES = fc.oneof(
  fc.constantFrom("[", "]", "{", "}", ":", "\n", "  ", "- ", "|", "*", "?", "\\", "&a ", "*a", "'"),
  fc.constantFrom("null", "~", "not ", " of ", "|re", "|all", "---\n", "<<: ", "\0", "!!int ", "é"),
  fc.string({ unit: "binary", maxLength: 3 }),
);

/** The rule with some stretches replaced. */
const TEXT = fc.array(
  fc.record({ at: fc.nat(RULE.length), cut: fc.nat(6), piece: PIECES }),
  { minLength: 1, maxLength: 4 },
).map((edits) =>
  edits.reduce((text, { at, cut, piece }) => text.slice(0, at) + piece + text.slice(at + cut), RULE)
);

Deno.test("compileRules() loads or names every document of a damaged rule, never throws", () => {
  let loaded = 0;
  let rejected = 0;
  fc.assert(
    fc.property(TEXT, (text) => {
      const set = compileRules([{ path: "f.yml", text }]);
      assertEquals(verifyImage(set.image), set.hash);
      for (const rejection of set.rejected) {
        assert(rejection.line >= 1 && rejection.column >= 1);
        assert(rejection.reason.length > 10, rejection.reason);
        assert(!describeRejection(rejection).includes("\n"), describeRejection(rejection));
      }
      loaded += set.rules.length + set.correlations.length;
      rejected += set.rejected.length;
    }),
    { numRuns: 1500 },
  );
  assert(loaded > 50 && rejected > 50, `${loaded} loaded, ${rejected} rejected`);
});
