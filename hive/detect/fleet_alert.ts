import { createHash } from "node:crypto";
import type { CorrelationMatch } from "../../common/sigma/correlation/mod.ts";
import {
  type Alert,
  alertCorrelation,
  type CorrelatedRules,
  correlationKey,
} from "../../common/wire/mod.ts";

/**
 * The alert of a correlation over hosts: what the correlation says, what it found, and host and
 * process of the alert that completed it.
 *
 * @param match The match.
 * @param found `last`: the alert that completed it; `ruleSet`: what it was found under; `hash`: of it.
 */
export function makeFleetAlert(
  match: CorrelationMatch,
  found: { readonly last: Alert; readonly ruleSet: CorrelatedRules; readonly hash: string },
): Alert {
  const { last, ruleSet, hash } = found;
  const { id, title, description, tags, level } = match.rule;
  return {
    ...last,
    id: fleetAlertId(match, last.id),
    rule: { id, title, description, tags, ruleset: hash },
    severity: level,
    correlation: alertCorrelation(match, ruleSet),
  };
}

/** The same match, found again after a restart, has the same id. */
function fleetAlertId(match: CorrelationMatch, lastId: string): string {
  return createHash("sha256")
    .update(JSON.stringify(["immune fleet alert v1", correlationKey(match), lastId]))
    .digest("hex")
    .slice(0, 32);
}
