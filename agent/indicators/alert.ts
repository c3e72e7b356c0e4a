import type { Indicator } from "../../common/indicators/indicator.ts";
import { alertId } from "../../common/record/mod.ts";
import type { Alert, AlertThreat } from "../../common/wire/mod.ts";
import { type Finding, makeAlert } from "../pipeline/alert.ts";
import type { IndicatorMatch } from "./match.ts";

/** Names that ECS has for the types of indicators. */
const ECS_TYPES: Readonly<Record<Indicator["type"], string>> = {
  md5: "file",
  sha1: "file",
  sha256: "file",
  path: "file",
  name: "file",
  ipv4: "ipv4-addr",
  ipv6: "ipv6-addr",
  domain: "domain-name",
  url: "url",
};
/** Longest value in a title, in characters. */
const SHOWN_MAX = 120;

/**
 * What an alert says in place of a rule: who lists the value, and under which id.
 *
 * @param match The match.
 */
export function indicatorRule({ type, value, indicators }: IndicatorMatch): Finding["rule"] {
  const [first] = indicators;
  const shown = value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}...` : value;
  return {
    id: first.id,
    title: `Listed ${type}: ${shown} (${first.source})`,
    description: first.title,
    tags: first.labels,
    level: first.severity,
  };
}

/**
 * The listed value of a match, for an alert: each source that lists it.
 *
 * @param match The match.
 */
export function alertThreat({ found, field, indicators }: IndicatorMatch): AlertThreat {
  return {
    enrichments: indicators.map((indicator) => ({
      indicator: {
        type: ECS_TYPES[indicator.type],
        name: indicator.value,
        provider: indicator.source,
        reference: indicator.id,
        ...(indicator.title === "" ? {} : { description: indicator.title }),
        ...(indicator.confidence === undefined ? {} : { confidence: String(indicator.confidence) }),
        first_seen: new Date(indicator.firstSeenMs).toISOString(),
        sightings: indicator.sightings,
      },
      matched: { atomic: found, field, id: indicator.id, type: "indicator_match_rule" },
    })),
  };
}

/**
 * The alert of a match: the indicator in place of a rule, and the event that has its value.
 *
 * @param match The match.
 * @param finding The event. The alert's id is that of the value and the record, whoever lists it.
 */
export function makeIndicatorAlert(
  match: IndicatorMatch,
  finding: Pick<Finding, "document" | "record">,
): Alert {
  const { rule, ...alert } = makeAlert({
    ...finding,
    rule: indicatorRule(match),
    ruleSetHash: "",
  });
  const { ruleset: _, ...listed } = rule;
  return {
    ...alert,
    id: alertId(`indicator ${match.type} ${match.value}`, finding.record),
    rule: listed,
    threat: alertThreat(match),
  };
}
