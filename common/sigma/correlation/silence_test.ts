import { assertEquals } from "@std/assert";
import { type CorrelationKeys, correlations } from "./_rules_test_support.ts";
import { silentMembers } from "./silence.ts";

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
