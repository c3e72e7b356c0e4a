import { assertEquals } from "@std/assert";
import { type CorrelationKeys, correlations } from "./_rules_test_support.ts";
import { silentMembers, unheardMembers } from "./silence.ts";

function temporal(
  rules: readonly string[],
  more: Partial<CorrelationKeys> = {},
  generate = false,
): CorrelationKeys {
  return { ...more, correlation: { type: "temporal", rules, timespan: "1m", generate } };
}

Deno.test("silentMembers() has members of correlations without generate, on the host", () => {
  const { rules, correlations: silent } = silentMembers(correlations(
    temporal(["a", "b"], { name: "inner" }),
    temporal(["inner", "b"]),
    temporal(["b"], {}, true),
    temporal(["c"], { scope: "fleet" }),
  ));
  assertEquals([[...rules], [...silent]], [[0], [0]]);
});

Deno.test("silentMembers() of the fleet has correlations of the fleet alone", () => {
  const rules = correlations(
    temporal(["a", "b"], { name: "inner", scope: "fleet" }),
    temporal(["inner", "b"], { scope: "fleet" }),
    temporal(["b"]),
  );
  const { rules: silent, correlations: parts } = silentMembers(rules, "fleet");
  assertEquals([[...silent], [...parts]], [[], [0]]);
});

Deno.test("unheardMembers() has silent rules of the fleet, and what runs elsewhere", () => {
  const rules = correlations(
    temporal(["a", "b"], { name: "inner" }),
    temporal(["inner", "c"], {}, true),
    temporal(["a", "inner", "c"], { name: "far", scope: "fleet" }),
    temporal(["far", "c"]),
  );
  const unheard = unheardMembers(rules).map(({ rule, reference }) => [rule.id, reference]);
  assertEquals(unheard, [["c2", "a"], ["c3", "far"]]);
});
