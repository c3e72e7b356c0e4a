import { stringify } from "yaml";
import type { Random } from "../../support/random.ts";
import { type GeneratedTest, generatedTest, keywordTest, type Wish } from "./detection_item.ts";

/** A rule as plain values. */
export interface RuleDocument {
  readonly title: string;
  readonly id: string;
  readonly logsource: Readonly<Record<string, string>>;
  readonly detection: Readonly<Record<string, unknown>>;
}

/** A rule, and what an event should have so that its tests may hold. */
export interface GeneratedRule {
  readonly document: RuleDocument;
  readonly wishes: readonly Wish[];
}

const NAMES = ["selection", "selection_a", "selection_b", "filter", "filter_main.x", "_own", "s-1"];
const PATTERNS = ["them", "THEM", "sel*", "selection_*", "filter*", "*_*", "_*", "*"];

/**
 * A rule with one to four selections and one or two conditions over them.
 *
 * @param random Choices.
 * @param number Its number: rules of one set have different ids.
 */
export function generatedRule(random: Random, number: number): GeneratedRule {
  const wishes: Wish[] = [];
  const selections = new Map<string, unknown>();
  for (const name of random.list(() => random.pick(NAMES), { least: 1, most: 4 })) {
    selections.set(name, generatedSelection(random, wishes));
  }
  const names = [...selections.keys()];
  const conditions = random.list(() => generatedCondition(random, names), {
    least: 1,
    most: random.chance(10) ? 2 : 1,
  });
  const condition = conditions.length === 1 ? conditions[0] : conditions;
  return {
    document: {
      title: `Rule ${number}`,
      id: `rule-${number}`,
      logsource: {},
      detection: { ...Object.fromEntries(selections), condition },
    },
    wishes,
  };
}

/**
 * Writes a rule as a file has it.
 *
 * @param document The rule.
 * @returns YAML.
 */
export function ruleText(document: RuleDocument): string {
  return stringify(document, { lineWidth: 0 });
}

function generatedSelection(random: Random, wishes: Wish[]): unknown {
  if (random.chance(7)) {
    const { key, value, wishes: own } = keywordTest(random);
    wishes.push(...own);
    return key === "" ? value : { [key]: value };
  }
  const map = (): Readonly<Record<string, unknown>> => {
    const tests: readonly GeneratedTest[] = random.list(() => generatedTest(random), {
      least: 1,
      most: 3,
    });
    for (const test of tests) wishes.push(...test.wishes);
    return Object.fromEntries(tests.map(({ key, value }) => [key, value]));
  };
  return random.chance(20) ? random.list(map, { least: 1, most: 3 }) : map();
}

function generatedCondition(random: Random, names: readonly string[]): string {
  const operand = (depth: number): string => {
    const kind = random.below(10);
    if (kind < 4 || depth === 0) return random.pick(names);
    if (kind < 6) return quantified(random, names) ?? random.pick(names);
    if (kind === 6) return `not ${operand(depth - 1)}`;
    const word = random.pick([" and ", " or ", " AND "]);
    const inner = random.list(() => operand(depth - 1), { least: 2, most: 3 }).join(word);
    return random.chance(70) ? `(${inner})` : inner;
  };
  return operand(3);
}

/** `N of PATTERN`, when the pattern is that of enough selections. */
function quantified(random: Random, names: readonly string[]): string | undefined {
  const pattern = random.pick(PATTERNS);
  const like = pattern.toLowerCase() === "them"
    ? /^[^_]/
    : pattern === "*"
    ? /^[^_]/
    : new RegExp(`^${pattern.startsWith("_") ? "" : "(?!_)"}${pattern.replaceAll("*", ".*")}$`);
  const count = names.filter((name) => like.test(name)).length;
  if (count === 0) return undefined;
  const wanted = random.pick(["1", "all", "any", String(random.between(1, count))]);
  return `${wanted} of ${pattern}`;
}
