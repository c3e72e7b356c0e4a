import { Comparer, type Comparison, type Disagreement } from "./compare.ts";
import { generatedEvent } from "./generate/event.ts";
import { generatedRule, ruleText } from "./generate/rule.ts";
import { Random } from "../support/random.ts";

/** Rules of one set, and events on which all of them are judged. */
const RULES_PER_ROUND = 80;
const EVENTS_PER_ROUND = 125;
/** Disagreements that are kept; all are counted. */
const KEPT_MAX = 20;

/** A rule and an event on which the two do not agree. */
export interface FoundDisagreement extends Omit<Disagreement, "rule"> {
  readonly rule: string;
}

/** What a run found. */
export interface RunResult extends Omit<Comparison, "disagreements"> {
  /** Rules that were judged. */
  readonly rules: number;
  readonly disagreements: number;
  /** The first of them. */
  readonly kept: readonly FoundDisagreement[];
}

/**
 * Generates rules and events, and holds the engine against the reference.
 *
 * @param comparer Both.
 * @param options `pairs`: at least so many are judged. `seed`: not 0.
 * @returns Counts and disagreements.
 */
export function runDifferential(
  comparer: Comparer,
  options: { readonly pairs: number; readonly seed: number },
): RunResult {
  const random = new Random(options.seed);
  const kept: FoundDisagreement[] = [];
  const count = { pairs: 0, hits: 0, rules: 0, disagreements: 0 };
  while (count.pairs < options.pairs) {
    const rules = Array.from({ length: RULES_PER_ROUND }, (_, i) => generatedRule(random, i));
    const texts = rules.map(({ document }) => ruleText(document));
    const events = Array.from({ length: EVENTS_PER_ROUND }, () => generatedEvent(random, rules));
    const { pairs, hits, disagreements } = comparer.compare(texts, events);
    count.pairs += pairs;
    count.hits += hits;
    count.rules += pairs / EVENTS_PER_ROUND;
    count.disagreements += disagreements.length;
    for (const one of disagreements.slice(0, KEPT_MAX - kept.length)) {
      kept.push({ ...one, rule: texts[one.rule] ?? "" });
    }
    if (pairs === 0) throw new RangeError("No rule of a round was loaded");
  }
  return { ...count, kept };
}
