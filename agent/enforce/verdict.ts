import { createHash } from "node:crypto";
import type { EcsDocument, EcsEnforcement, RecordKey } from "../../common/record/mod.ts";
import { alertId } from "../../common/record/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import type { EnforcementPolicy } from "./policy.ts";
import { policyNumber } from "./tables.ts";

/** What was found after a verdict. */
export interface Finding {
  /** Whether what was to be true afterwards was found. */
  readonly verified: boolean;
  /** One line. */
  readonly text: string;
}

/** What a verdict's alert is made from. */
export interface VerdictParts {
  readonly document: EcsDocument;
  readonly record: RecordKey;
  readonly finding: Finding;
  /** The policy in force; a verdict of an earlier one has no names. */
  readonly policy: EnforcementPolicy | undefined;
}

const TITLES: Readonly<Record<string, string>> = {
  refused: "Refused",
  killed: "Killed at exec",
  monitored: "Would refuse",
  capped: "Not refused, the minute's actions are used up",
  failed: "Not refused, it could not be judged or stopped",
};

/**
 * The alert of a verdict: the entry in place of a rule, and what was found afterwards.
 *
 * @param parts Event, finding and policy.
 */
export function makeVerdictAlert({ document, record, finding, policy }: VerdictParts): Alert {
  const { "@timestamp": time, host, event, enforcement: told, ...parts } = document;
  const enforcement = told as EcsEnforcement;
  const current = policy !== undefined &&
    policyNumber(policy).toString(16).padStart(16, "0") === enforcement.policy;
  const entry = current ? policy.entries[enforcement.entry - 1] : undefined;
  const name = entry?.name ?? `entry ${enforcement.entry} of policy ${enforcement.policy}`;
  const id = entryId(name);
  return {
    id: alertId(id, record),
    time,
    host,
    rule: {
      id,
      title: `${TITLES[enforcement.outcome] ?? enforcement.outcome}: ${name}`,
      description: `${enforcement.action} by tier ${enforcement.tier}: ${finding.text}`,
      ...(policy === undefined ? {} : { ruleset: policy.hash }),
    },
    severity: entry?.severity ?? "high",
    event: { ...event, kind: "alert" },
    ...parts,
    enforcement: {
      ...enforcement,
      name,
      verified: finding.verified,
      finding: finding.text,
    },
  };
}

/** An id in the form of a rule's: the same for the same name. */
function entryId(name: string): string {
  const hex = createHash("sha256").update(`immune enforcement ${name}`).digest("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
