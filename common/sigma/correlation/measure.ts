import type { Bound, CorrelationRule, MemberExpression } from "../correlation_rule.ts";

/** A hit in a window. */
export interface WindowHit {
  readonly timeMs: number;
  /** Its place in `CorrelationRule.members`. */
  readonly member: number;
  readonly id: string;
  /** What `value_count` or a share counts, or the number of the other types that look at a field. */
  readonly value: string | number;
}

/** Hits of one window. */
export interface WindowHits {
  /** By time; at least one. */
  readonly hits: readonly WindowHit[];
  /** Number of distinct values among them, where that is known. */
  readonly distinct?: number;
}

/** What a window comes to. */
export interface Measure {
  readonly value: number;
  /** The condition holds. */
  readonly isMet: boolean;
}

/**
 * Measures a window and judges it.
 *
 * @param rule The correlation.
 * @param window Its hits.
 */
export function measure(rule: CorrelationRule, window: WindowHits): Measure {
  const { hits } = window;
  const { condition } = rule;
  if (condition.kind === "expression") {
    const hit = membersOf(hits);
    const inOrder = rule.type !== "temporal_ordered" || longestInOrder(hits) === hit.size;
    return { value: hit.size, isMet: inOrder && holds(condition.expression, hit) };
  }
  const value = valueOf(rule, window);
  return { value, isMet: condition.bounds.every((bound) => isWithin(value, bound)) };
}

function valueOf(
  { type, percentile }: CorrelationRule,
  { hits, distinct }: WindowHits,
): number {
  switch (type) {
    case "event_count":
    case "first_seen":
      return hits.length;
    case "value_count":
      return distinct ?? new Set(hits.map(({ value }) => value)).size;
    case "temporal":
      return membersOf(hits).size;
    case "temporal_ordered":
      return longestInOrder(hits);
    case "value_sum":
      return sum(hits);
    case "value_avg":
      return sum(hits) / hits.length;
    case "value_median":
      return medianOf(sorted(hits));
    case "value_percentile":
      return percentile === undefined ? shareOfLast(hits) : percentileOf(sorted(hits), percentile);
  }
}

function membersOf(hits: readonly WindowHit[]): ReadonlySet<number> {
  return new Set(hits.map(({ member }) => member));
}

/**
 * The most members that were hit one after the other in the order of the rule: the longest strictly
 * increasing subsequence, by patience sorting (Fredman 1975).
 */
function longestInOrder(hits: readonly WindowHit[]): number {
  const lasts: number[] = [];
  for (const { member } of hits) {
    let low = 0;
    for (let high = lasts.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((lasts[middle] ?? 0) < member) low = middle + 1;
      else high = middle;
    }
    lasts[low] = member;
  }
  return lasts.length;
}

function sum(hits: readonly WindowHit[]): number {
  return hits.reduce((total, { value }) => total + Number(value), 0);
}

function sorted(hits: readonly WindowHit[]): Float64Array {
  return Float64Array.from(hits, ({ value }) => Number(value)).sort();
}

function medianOf(values: Float64Array): number {
  const middle = values.length >> 1;
  const upper = values[middle] ?? 0;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? 0) + upper) / 2;
}

/** By nearest rank: the smallest value that at least `percentile` of a hundred do not exceed. */
function percentileOf(values: Float64Array, percentile: number): number {
  const rank = Math.ceil(percentile / 100 * values.length);
  return values[Math.max(rank, 1) - 1] ?? 0;
}

/** How many of a hundred hits have the value that the last one has. */
function shareOfLast(hits: readonly WindowHit[]): number {
  const last = hits.at(-1)?.value;
  return hits.filter(({ value }) => value === last).length * 100 / hits.length;
}

function holds(expression: MemberExpression, hit: ReadonlySet<number>): boolean {
  switch (expression.kind) {
    case "member":
      return hit.has(expression.member);
    case "not":
      return !holds(expression.of, hit);
    case "at_least":
      return expression.of.filter((inner) => holds(inner, hit)).length >= expression.count;
    case "and":
      return expression.of.every((inner) => holds(inner, hit));
    case "or":
      return expression.of.some((inner) => holds(inner, hit));
  }
}

function isWithin(value: number, { op, number }: Bound): boolean {
  switch (op) {
    case "gt":
      return value > number;
    case "gte":
      return value >= number;
    case "lt":
      return value < number;
    case "lte":
      return value <= number;
    case "eq":
      return value === number;
    case "neq":
      return value !== number;
  }
}
