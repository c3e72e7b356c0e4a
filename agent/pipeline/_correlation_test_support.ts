import { assertEquals } from "@std/assert";
import { compileRules, type RuleSet } from "../../common/sigma/mod.ts";
import { commandLineHas } from "./_pipeline_test_support.ts";

/**
 * Rules named after the words that they look for on command lines, and correlations of them.
 *
 * @param words Words to look for.
 * @param correlations Keys of the correlations; a correlation's id is `c` and its number.
 */
export function correlatedRules(
  words: readonly string[],
  correlations: readonly Readonly<Record<string, unknown>>[],
): RuleSet {
  const rules = words.map((word) =>
    [
      `title: ${word}`,
      `id: ${word}`,
      "logsource: { category: process_creation, product: linux }",
      "detection:",
      ...commandLineHas(word).map((line) => `  ${line}`),
    ].join("\n")
  );
  const documents = correlations.map((correlation, i) =>
    JSON.stringify({ title: `Correlation ${i}`, id: `c${i}`, level: "high", correlation })
  );
  const set = compileRules([{ path: "t.yml", text: [...rules, ...documents].join("\n---\n") }]);
  assertEquals(set.rejected, []);
  return set;
}
