import type { Criterion } from "../sigma/criterion.ts";
import { type FieldTest, testsOf } from "../sigma/expression.ts";
import { describeRejection } from "../sigma/rejection.ts";
import { parseRules } from "../sigma/parse_rules.ts";
import { assessPattern } from "../sigma/regex/mod.ts";
import { requirementOf } from "../sigma/requirement.ts";
import { formatValue } from "../sigma/value.ts";
import { antibodyRuleId } from "./antibody.ts";
import { withRuleId } from "./rule_id.ts";

/** Most field tests of a rule that is an antibody. */
export const RULE_TESTS_MAX = 64;
/** Shortest text that makes a test say something, in characters without wildcards. */
export const SPECIFIC_LENGTH_MIN = 6;

/** Programs that run on every host all day: a rule that asks for no more than one is about all. */
const EVERYDAY = new Set(
  ("bash sh dash zsh busybox python python3 node deno perl java ssh sshd sudo su systemd init " +
    "cron dockerd containerd containerd-shim-runc-v2 runc git curl wget ls cat grep sed awk env")
    .split(" "),
);
/** Parts of paths that say nothing alone. */
const EVERYDAY_PARTS = new Set(
  "bin sbin usr lib lib64 local opt home tmp var etc root proc sys dev run".split(" "),
);

/**
 * Why a Sigma rule may not be an antibody.
 *
 * @param text Its YAML.
 * @returns A line for people, or `undefined` when it may.
 */
export function badRule(text: string): string | undefined {
  const { rules, correlations, roles, rejected } = parseRules([{ path: "antibody", text }]);
  const [rejection] = rejected;
  if (rejection !== undefined) return describeRejection(rejection);
  const [only, more] = rules;
  if (only === undefined || more !== undefined || correlations.length + roles.length > 0) {
    return "It is not one rule alone";
  }
  const { rule } = only;
  if (rule.filters.length > 0) return "It is not one rule alone";
  if (!takesId(text)) return "Its id is not a line of its own";
  const tests = [...testsOf(rule.expression)];
  if (tests.length > RULE_TESTS_MAX) {
    return `It has ${tests.length} tests; ${RULE_TESTS_MAX} are taken`;
  }
  for (const { criterion } of tests) {
    const problem = criterion.type === "regex" ? badPattern(criterion) : undefined;
    if (problem !== undefined) return problem;
  }
  const needed = requirementOf(
    rule.expression,
    (test) => isSpecific(test) ? 1 : Number.POSITIVE_INFINITY,
  );
  return needed === undefined
    ? `It can fire without a text of ${SPECIFIC_LENGTH_MIN} characters that says something`
    : undefined;
}

/** Whether it is the same rule under the id of an antibody. */
function takesId(text: string): boolean {
  const id = antibodyRuleId("0".repeat(32));
  const { rules, rejected } = parseRules([{ path: "antibody", text: withRuleId(text, id) }]);
  return rejected.length === 0 && rules.length === 1 && rules[0]?.rule.id === id;
}

function badPattern(criterion: Extract<Criterion, { type: "regex" }>): string | undefined {
  const { verdict, reason } = assessPattern(criterion.source, criterion);
  return verdict === "SAFE" ? undefined : `Its pattern is ${verdict}: ${reason}`;
}

function isSpecific({ criterion }: FieldTest): boolean {
  switch (criterion.type) {
    case "pattern":
      return isTelling(formatValue(criterion.pattern));
    case "cidr":
      return criterion.prefix >= (criterion.address.length === 4 ? 24 : 56);
    default:
      return false;
  }
}

/** Whether a text with wildcards says more than that something ordinary runs. */
function isTelling(text: string): boolean {
  const words = text.split(/[*?/\\\s]+/).filter((word) =>
    word !== "" && !EVERYDAY.has(word) && !EVERYDAY_PARTS.has(word)
  );
  return words.join("").length >= SPECIFIC_LENGTH_MIN;
}
