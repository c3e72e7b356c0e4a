import { isIPv4 } from "node:net";
import { type Indicator, makeIndicator } from "../indicators/indicator.ts";
import type { IndicatorType } from "../indicators/value.ts";
import type { RuleSource } from "../sigma/parse_rules.ts";
import { type Antibody, antibodyRuleId } from "./antibody.ts";
import { withRuleId } from "./rule_id.ts";

/** Source of indicators that are antibodies. */
export const HERD_SOURCE = "herd";

/**
 * Antibodies of values, as indicators: their matches are alerts of rule `herd-ID`.
 *
 * @param antibodies Antibodies that passed the lint.
 * @param nowMs Unix time in milliseconds.
 * @returns Indicators of source `herd`, which run out with their antibodies.
 */
export function indicatorsOf(
  antibodies: readonly Antibody[],
  nowMs: number,
): readonly Indicator[] {
  return antibodies.flatMap((antibody) => {
    const type = indicatorType(antibody);
    if (type === undefined) return [];
    const { id, value, reason, madeMs, expiresMs } = antibody;
    const indicator = makeIndicator({
      type,
      value,
      source: HERD_SOURCE,
      id: antibodyRuleId(id),
      title: reason,
      severity: "high",
      firstSeenMs: madeMs,
      expiresMs,
    }, nowMs);
    return typeof indicator === "string" ? [] : [indicator];
  });
}

/**
 * Antibodies that are rules, and those of ports, as rules with the id `herd-ID`.
 *
 * @param antibodies Antibodies that passed the lint.
 * @returns A rule file each.
 */
export function rulesOf(antibodies: readonly Antibody[]): readonly RuleSource[] {
  return antibodies.flatMap((antibody) => {
    const { id, type, value } = antibody;
    if (type !== "port" && type !== "rule") return [];
    const ruleId = antibodyRuleId(id);
    const text = type === "port" ? portRule(value, ruleId) : withRuleId(value, ruleId);
    return [{ path: `${ruleId}.yml`, text }];
  });
}

function indicatorType({ type, value }: Antibody): IndicatorType | undefined {
  switch (type) {
    case "hash":
      return "sha256";
    case "path":
    case "domain":
      return type;
    case "address":
      return isIPv4(value) ? "ipv4" : "ipv6";
    default:
      return undefined;
  }
}

function portRule(port: string, id: string): string {
  return `title: Connection to port ${port}, which the herd has as bad
id: ${id}
status: stable
level: high
logsource: { product: linux, category: network_connection }
detection:
  port: { DestinationPort: ${port} }
  condition: port
`;
}
