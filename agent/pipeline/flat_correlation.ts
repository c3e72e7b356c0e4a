import {
  type CorrelationMatch,
  Correlator,
  type CorrelatorOptions,
} from "../../common/sigma/correlation/mod.ts";
import {
  fieldValue,
  type JsonObject,
  type RuleInfo,
  type RuleSet,
} from "../../common/sigma/mod.ts";

/** An event, and when it happened. */
export interface FlatMoment {
  /** In ECS form, or flat with field names as rules have them. */
  readonly event: JsonObject;
  readonly timeMs: number;
  /** Names the event. */
  readonly id: string;
}

/** Runs rules that fired on JSON objects through the correlations of their rule set. */
export class FlatCorrelation {
  readonly #correlator: Correlator;
  readonly #placeOf: ReadonlyMap<RuleInfo, number>;

  /**
   * @param ruleSet The rules.
   * @param options Of the correlator. Default: correlations of all scopes.
   */
  constructor({ rules, correlations }: RuleSet, options: CorrelatorOptions = {}) {
    this.#correlator = new Correlator(correlations, options);
    this.#placeOf = new Map(rules.map((rule, place) => [rule, place]));
  }

  /**
   * Takes an event.
   *
   * @param rules Rules of the set that fired on it.
   * @param moment The event.
   * @returns Correlations that it completes.
   */
  take(
    rules: readonly RuleInfo[],
    { event, timeMs, id }: FlatMoment,
  ): readonly CorrelationMatch[] {
    return rules.flatMap((rule) => {
      const index = this.#placeOf.get(rule);
      if (index === undefined) return [];
      const field = (name: string): string | undefined => fieldValue(event, name);
      return this.#correlator.take({ kind: "rule", index, timeMs, id, field });
    });
  }
}
