import { alertId, type EcsDocument, type RecordKey } from "../../common/record/mod.ts";
import type { RuleInfo } from "../../common/sigma/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";

/** What an alert is made from. */
export interface Finding {
  readonly rule: RuleInfo;
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
      ...(rule.description === undefined ? {} : { description: rule.description }),
      tags: rule.tags,
      ruleset: finding.ruleSetHash,
    },
    severity: rule.level,
    event: { ...event, kind: "alert" },
    ...parts,
  };
}
