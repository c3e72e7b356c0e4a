import type { Bound, CorrelationRule, MemberExpression } from "../correlation_rule.ts";
import type { CorrelationInput } from "./hit.ts";

/** A match, as far as the slow correlator tells it. */
export interface SlowMatch {
  readonly index: number;
  readonly group: readonly string[];
  readonly value: number;
  readonly hits: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Taken {
  readonly timeMs: number;
  readonly member: number;
  readonly id: string;
  readonly group: string;
  readonly values: readonly string[];
}

/** Says what correlations mean: keeps every hit, and computes each window from all of them. */
export class SlowCorrelator {
  readonly #rules: readonly CorrelationRule[];
  readonly #latenessMs: number;
  readonly #taken: readonly Taken[][];
  readonly #matched: readonly { group: string; lastMs: number }[][];

  constructor(rules: readonly CorrelationRule[], latenessMs: number) {
    this.#rules = rules;
    this.#latenessMs = latenessMs;
    this.#taken = rules.map(() => []);
    this.#matched = rules.map(() => []);
  }

  take(input: CorrelationInput): readonly SlowMatch[] {
    let level: readonly CorrelationInput[] = [input];
    const all: SlowMatch[] = [];
    while (level.length > 0) {
      const next: CorrelationInput[] = [];
      for (const hit of level) {
        this.#rules.forEach((rule, index) =>
          rule.members.forEach((member, place) => {
            if (member.kind !== hit.kind || member.index !== hit.index) return;
            const match = this.#judge({ rule, index, place }, hit);
            if (match === undefined) return;
            all.push(match);
            const named = new Map(rule.groupBy.map((name, i) => [name, match.group[i]]));
            next.push({
              kind: "correlation",
              index,
              timeMs: match.lastMs,
              id: hit.id,
              field: (name) => named.get(name) ?? hit.field(name),
            });
          })
        );
      }
      level = next;
    }
    return all;
  }

  #judge(
    { rule, index, place }: { rule: CorrelationRule; index: number; place: number },
    { timeMs, id, field }: CorrelationInput,
  ): SlowMatch | undefined {
    const member = rule.members[place];
    const groupValues = member?.groupFields.map(field) ?? [];
    const values = member?.valueFields.map(field) ?? [];
    if ([...groupValues, ...values].includes(undefined)) return undefined;
    const isShare = rule.type === "value_percentile" && rule.percentile === undefined;
    const isText = isShare || ["value_count", "event_count"].includes(rule.type);
    const isNumeric = !isText && values.length > 0;
    if (isNumeric && values.some((value) => Number.isNaN(Number(value)))) return undefined;
    const group = JSON.stringify(groupValues);
    const mine = (this.#taken[index] ?? []).filter((one) => one.group === group);
    const newest = Math.max(-Infinity, ...mine.map((one) => one.timeMs));
    if (timeMs < newest - this.#latenessMs) return undefined;
    const isSame = (one: Taken) => one.timeMs === timeMs && one.member === place && one.id === id;
    if (mine.some(isSame)) return undefined;
    const hit = { timeMs, member: place, id, group, values: values.map(String) };
    this.#taken[index]?.push(hit);
    mine.push(hit);
    const ends = [...new Set(mine.map((one) => one.timeMs))]
      .filter((end) => end >= timeMs && end <= timeMs + rule.timespanMs).sort((a, b) => a - b);
    for (const end of ends) {
      const window = mine.filter((one) => one.timeMs <= end && one.timeMs >= end - rule.timespanMs)
        .sort((a, b) => a.timeMs - b.timeMs);
      const { value, isMet } = judgeWindow(rule, window);
      const matched = this.#matched[index] ?? [];
      const last = matched.findLast((match) => match.group === group)?.lastMs ?? -Infinity;
      if (!isMet || Math.abs(end - last) <= rule.timespanMs) continue;
      matched.push({ group, lastMs: end });
      return {
        index,
        group: groupValues.map(String),
        value,
        hits: window.length,
        firstMs: Math.min(...window.map((one) => one.timeMs)),
        lastMs: end,
      };
    }
    return undefined;
  }
}

function judgeWindow(
  rule: CorrelationRule,
  window: readonly Taken[],
): { readonly value: number; readonly isMet: boolean } {
  const members = window.map(({ member }) => member);
  if (rule.condition.kind === "expression") {
    const distinct = new Set(members);
    const ordered = rule.type !== "temporal_ordered" || chain(members) === distinct.size;
    return { value: distinct.size, isMet: ordered && holds(rule.condition.expression, distinct) };
  }
  const value = valueOf(rule, window);
  return { value, isMet: rule.condition.bounds.every((bound) => compares(value, bound)) };
}

function valueOf(rule: CorrelationRule, window: readonly Taken[]): number {
  const members = window.map(({ member }) => member);
  const numbers = window.map(({ values: [value] }) => Number(value)).sort((a, b) => a - b);
  const total = window.reduce((sum, { values: [value] }) => sum + Number(value), 0);
  const n = numbers.length;
  const at = (place: number): number => numbers[place] ?? Number.NaN;
  switch (rule.type) {
    case "event_count":
    case "first_seen":
      return window.length;
    case "value_count":
      return new Set(window.map(({ values }) => values.join("\n"))).size;
    case "temporal":
      return new Set(members).size;
    case "temporal_ordered":
      return chain(members);
    case "value_sum":
      return total;
    case "value_avg":
      return total / n;
    case "value_median":
      return n % 2 === 1 ? at((n - 1) / 2) : (at(n / 2 - 1) + at(n / 2)) / 2;
    case "value_percentile": {
      if (rule.percentile === undefined) {
        const texts = window.map(({ values: [value] }) => value);
        return 100 * texts.filter((text) => text === texts.at(-1)).length / texts.length;
      }
      // The smallest that enough do not exceed.
      const enough = (number: number) => numbers.filter((one) => one <= number).length * 100;
      return numbers.find((number) => enough(number) >= (rule.percentile ?? 0) * n) ?? Number.NaN;
    }
  }
}

/** Longest chain of members in the order of the list, by trying every start. */
function chain(members: readonly number[]): number {
  const from = (start: number, after: number): number => {
    let best = 0;
    for (let i = start; i < members.length; i++) {
      const member = members[i] ?? 0;
      if (member > after) best = Math.max(best, 1 + from(i + 1, member));
    }
    return best;
  };
  return from(0, -1);
}

function holds(expression: MemberExpression, hit: ReadonlySet<number>): boolean {
  if (expression.kind === "member") return hit.has(expression.member);
  if (expression.kind === "not") return !holds(expression.of, hit);
  const verdicts = expression.of.map((inner) => holds(inner, hit));
  if (expression.kind === "at_least") {
    return verdicts.filter(Boolean).length >= expression.count;
  }
  return expression.kind === "and" ? !verdicts.includes(false) : verdicts.includes(true);
}

function compares(value: number, { op, number }: Bound): boolean {
  if (op === "neq") return value !== number;
  if (op === "eq") return value === number;
  if (op === "gt" || op === "gte") return value > number || (op === "gte" && value === number);
  return value < number || (op === "lte" && value === number);
}
