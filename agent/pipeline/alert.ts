import { alertId, type EcsDocument, type RecordKey } from "../../common/record/mod.ts";
import type { CorrelationMatch } from "../../common/sigma/correlation/mod.ts";
import type { About } from "../../common/sigma/mod.ts";
import {
  type Alert,
  alertCorrelation,
  type CorrelatedRules,
  correlationKey,
} from "../../common/wire/mod.ts";

/** What an alert is made from. */
export interface Finding {
  readonly rule: Pick<About, "id" | "title" | "description" | "tags" | "level">;
  /** SHA-256 of the rule set that fired. */
  readonly ruleSetHash: string;
  /** The event, masked already. */
  readonly document: EcsDocument;
  /** Key of the record. */
  readonly record: RecordKey;
}

/**
 * The alert of a finding: what the rule says, and the event it was found in.
 *
 * @param finding Rule, event and record.
 */
export function makeAlert(finding: Finding): Alert {
  const { rule, document, record } = finding;
  const { "@timestamp": time, host, event, ...parts } = document;
  return {
    id: alertId(rule.id, record),
    time,
    host,
    rule: {
      id: rule.id,
      title: rule.title,
      description: rule.description,
      tags: rule.tags,
      ruleset: finding.ruleSetHash,
    },
    severity: rule.level,
    event: { ...event, kind: "alert" },
    ...parts,
  };
}

/**
 * The alert of a match: what the correlation says, what it found, and the event that completed it.
 *
 * @param match The match.
 * @param finding That event, and the rule set.
 */
export function makeCorrelationAlert(
  match: CorrelationMatch,
  finding: Omit<Finding, "rule"> & { readonly ruleSet: CorrelatedRules },
): Alert {
  return {
    ...makeAlert({ ...finding, rule: match.rule }),
    id: alertId(correlationKey(match), finding.record),
    correlation: alertCorrelation(match, finding.ruleSet),
  };
}
