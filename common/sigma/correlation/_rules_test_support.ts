import { assertEquals } from "@std/assert";
import type { CorrelationRule } from "../correlation_rule.ts";
import { compileRules } from "../rule_set.ts";
import type { CorrelationInput } from "./hit.ts";

/** Keys of a correlation document, beside those that every one has. */
export interface CorrelationKeys {
  readonly name?: string;
  readonly scope?: "fleet";
  readonly correlation: Readonly<Record<string, unknown>>;
}

const RULES = ["a", "b", "c"].map((name) => ({
  title: name,
  id: `rule-${name}`,
  name,
  logsource: {},
  detection: { s: { A: "x" }, condition: "s" },
}));

/** Correlations over the rules a, b and c, which are the places 0, 1 and 2. */
export function correlations(...keys: readonly CorrelationKeys[]): readonly CorrelationRule[] {
  const documents = keys.map(({ name = "", scope, correlation }, i) => ({
    title: `C${i}`,
    id: `c${i}`,
    ...(name === "" ? {} : { name }),
    ...(scope === undefined ? {} : { immune: { scope } }),
    correlation,
  }));
  const text = [...RULES, ...documents].map((document) => JSON.stringify(document)).join("\n---\n");
  const { correlations, rejected } = compileRules([{ path: "t.yml", text }]);
  assertEquals(rejected, []);
  return correlations;
}

/** Fields of an event. */
export type HitOptions = Readonly<Record<string, string>>;

/** A hit of one of the rules. */
export function hit(
  rule: "a" | "b" | "c",
  timeMs: number,
  options: HitOptions = {},
): CorrelationInput {
  return {
    kind: "rule",
    index: "abc".indexOf(rule),
    timeMs,
    id: `${rule} ${timeMs} ${JSON.stringify(options)}`,
    field: (name) => options[name],
  };
}
