/**
 * The rule language: Sigma rules in, a rule image for the engine out.
 *
 * @example
 * ```ts
 * import { compileRules } from "./mod.ts";
 *
 * const { rules, rejected } = compileRules([{
 *   path: "example.yml",
 *   text: `
 * title: Netcat
 * id: 6d6f9e0b-8a1d-4b6e-9f57-0c2f6d8e7a11
 * logsource: { category: process_creation, product: linux }
 * detection:
 *   selection: { Image|endswith: /nc }
 *   condition: selection
 * `,
 * }]);
 * if (rules.length !== 1 || rejected.length !== 0) throw new Error("did not load");
 * ```
 *
 * @module
 */
export { compileRules, type RuleInfo, type RuleSet } from "./rule_set.ts";
export { KEYWORDS_FIELD } from "./criterion.ts";
export { AUTHENTICATION_CATEGORY, TAMPER_CATEGORY } from "./log_fields.ts";
export { describeRejection, type RuleRejection } from "./rejection.ts";
export { type ParsedRule, type ParsedRules, parseRules, type RuleSource } from "./parse_rules.ts";
export {
  explain,
  type Explained,
  type ExplainedDetection,
  type ExplainedFilter,
  type ExplainedGroup,
  type ExplainedTest,
  type ExplainOptions,
  type Explanation,
  type Probes,
  probesOf,
} from "./explain.ts";
export type { RuleOptions } from "./selection.ts";
export type { Placeholders } from "./placeholders.ts";
export type { About, RelatedRule } from "./about.ts";
export type {
  Bound,
  BoundOp,
  CorrelationCondition,
  CorrelationMember,
  CorrelationRule,
  CorrelationType,
  MemberExpression,
  SequenceExamples,
} from "./correlation_rule.ts";
export { numberRoles, type Role, type RoleName } from "./role.ts";
export { ROLE_IDS } from "./role_ids.ts";
export { type ProgramMark, type RoleMarks, type RoleTerm } from "./role_marks.ts";
export { readRuleSources } from "./read.ts";
export { verifyImage } from "./image.ts";
export { type Interest, type Watch, type WideNeed } from "./interest.ts";
export {
  type FilterNetwork,
  NETWORK_KINDS,
  type NetworkFilter,
  type NetworkInterest,
  networkInterestOf,
  type NetworkKind,
  type WholeNeed,
} from "./network_filter.ts";
export { fieldValue, isJsonObject, type JsonObject } from "./event_value.ts";
export { type LogSource, logSourceBits } from "./log_source.ts";
export { type ExampleEvent, type Level, type Rule, type RuleExamples, SEVERITIES } from "./rule.ts";
export { STANDARD_FIELDS, type StandardField, standardField } from "./fields.ts";
