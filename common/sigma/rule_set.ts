import { type CorrelationRule } from "./correlation_rule.ts";
import { resolveCorrelations } from "./correlation_resolve.ts";
import { AUDIT_FIELDS, AUDIT_SERVICE } from "./audit.ts";
import { testsOf } from "./expression.ts";
import { isFedByLogs } from "./log_fields.ts";
import { standardField } from "./fields.ts";
import { fitImage } from "./fit.ts";
import { IMAGE_BYTES_MAX } from "./image_layout.ts";
import { type Interest, interestOf } from "./interest.ts";
import { type LogSource, logSourceBits } from "./log_source.ts";
import { type ParsedRole, type ParsedRule, parseRules, type RuleSource } from "./parse_rules.ts";
import { Plan, type RoleRule } from "./plan.ts";
import { invalid, RuleProblem } from "./problem.ts";
import { rejectionOf, type RuleRejection } from "./rejection.ts";
import { numberRoles, OWN_ROLES_MAX, type RoleName } from "./role.ts";
import type { Rule } from "./rule.ts";
import type { RuleOptions } from "./selection.ts";

/** What a loaded rule says of itself. Its place in `RuleSet.rules` is its index in the image. */
export interface RuleInfo extends Omit<Rule, "expression" | "position" | "detection" | "filters"> {
  readonly path: string;
  /** Line where its document starts, from 1. */
  readonly line: number;
  /** Fields that it tests and no record carries: only flat events can have them. */
  readonly unfed: readonly string[];
  /** Titles of the filters that leave events out for it. */
  readonly filteredBy: readonly string[];
}

/** Rules, compiled. */
export interface RuleSet {
  /** Rule image for the engine. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the image, 64 lower-case hexadecimal digits. */
  readonly hash: string;
  /** Loaded rules; index = rule index in the image. */
  readonly rules: readonly RuleInfo[];
  /** Loaded correlations; each stands behind those that it refers to. */
  readonly correlations: readonly CorrelationRule[];
  /** Roles of processes, by the ids that records carry. */
  readonly roles: readonly RoleName[];
  readonly rejected: readonly RuleRejection[];
  /** Names of the tested fields; index = field index in the image. */
  readonly fields: readonly string[];
  /** Distinct log sources; index = bit in a flat event's bit map. */
  readonly logSources: readonly LogSource[];
  /** What the rules need from the kernel. */
  readonly interest: Interest;
  /**
   * Bit map of the log sources that apply to an event.
   *
   * @param logSource What the event claims; names in any case.
   * @returns Bit n & 7 of byte n >> 3 is set when rules with log source n are to be tried.
   */
  readonly logSourceBits: (logSource: LogSource) => Uint8Array;
}

/**
 * Compiles rules. A rule that cannot load is named in `rejected`, the others load.
 *
 * @param sources Rule files, in the order that decides which of two equal ids stays, and which
 * rules stay when not all fit in an image.
 * @param options Values of placeholders.
 * @returns The rule set.
 */
export function compileRules(
  sources: readonly RuleSource[],
  options: RuleOptions = {},
): RuleSet {
  const parsed = parseRules(sources, options);
  const rejected = [...parsed.rejected];
  const missing = new Set(parsed.missing);
  const reject = ({ rule, ...from }: ParsedRule, problem: RuleProblem): void => {
    rejected.push(rejectionOf(problem, from));
    for (const reference of [rule.id, rule.name]) missing.add(reference);
  };
  const planned = planRules(parsed.rules, reject);
  const names = numberRoles(parsed.roles.map(({ role }) => role.name));
  const { roles, problems: badRoles } = plannableRoles(parsed.roles, names);
  rejected.push(...badRoles);
  const { plan, bytes, hash } = fitImage(planned.rules.map(({ rule }) => rule), {
    roles,
    plan: planned.plan,
  });
  const kept = planned.rules.slice(0, plan.rules.length);
  for (const left of planned.rules.slice(plan.rules.length)) reject(left, tooLarge(left.rule));
  const { correlations, problems } = resolveCorrelations(parsed.correlations, {
    rules: kept.map(({ rule }) => rule),
    missing,
  });
  for (const [{ draft, path }, problem] of problems) {
    rejected.push(rejectionOf(problem, { path, document: draft.document }));
  }
  const { logSources } = plan;
  return {
    image: bytes,
    hash,
    rules: kept.map(infoOf),
    correlations,
    roles: names,
    rejected,
    fields: plan.fields.map(({ name }) => name),
    logSources,
    interest: interestOf(kept.map(({ rule }) => rule), roles),
    logSourceBits: (logSource) => logSourceBits(logSources, logSource),
  };
}

/** A plan of the rules that it takes. */
function planRules(
  parsedRules: readonly ParsedRule[],
  reject: (rule: ParsedRule, problem: RuleProblem) => void,
): { readonly plan: Plan; readonly rules: readonly ParsedRule[] } {
  const plan = new Plan();
  const rules = parsedRules.filter((parsed) => {
    try {
      plan.add(parsed.rule);
      return true;
    } catch (error) {
      if (!(error instanceof RuleProblem)) throw error;
      reject(parsed, error);
      return false;
    }
  });
  return { plan, rules };
}

/** The role rules that a plan takes, in the order in which the first one that holds counts. */
function plannableRoles(
  parsed: readonly ParsedRole[],
  names: readonly RoleName[],
): { readonly roles: readonly RoleRule[]; readonly problems: readonly RuleRejection[] } {
  const idByName = new Map(names.map(({ id, name }) => [name, id]));
  const plan = new Plan();
  const roles: RoleRule[] = [];
  const problems: RuleRejection[] = [];
  for (const { role: { name, expression, position }, ...from } of parsed) {
    try {
      const role = idByName.get(name);
      if (role === undefined) {
        throw invalid(`There are over ${OWN_ROLES_MAX} roles of your own; use fewer`, position);
      }
      const rule = { role, expression, position };
      plan.addRole(rule);
      roles.push(rule);
    } catch (error) {
      if (!(error instanceof RuleProblem)) throw error;
      problems.push(rejectionOf(error, from));
    }
  }
  return { roles, problems };
}

function tooLarge({ position }: Rule): RuleProblem {
  const reason = `Rules up to this one exceed an image of ${IMAGE_BYTES_MAX} bytes; load fewer`;
  return new RuleProblem("RULE_SET_TOO_LARGE", reason, { position });
}

function infoOf({ rule, path }: ParsedRule): RuleInfo {
  const { expression, position, detection: _, filters, ...about } = rule;
  const fields = new Set([...testsOf(expression)].map(({ field }) => field));
  const isAudit = rule.logSource.service === AUDIT_SERVICE;
  const unfed = [...fields].filter((field) =>
    (standardField(field) === undefined || (AUDIT_FIELDS.has(field) && !isAudit)) &&
    !isFedByLogs(field, rule.logSource)
  );
  const filteredBy = filters.map(({ title }) => title);
  return { ...about, path, line: position.line, unfed, filteredBy };
}
