import { decodeRecord, FLAGS } from "../../common/record/mod.ts";
import {
  fieldValue,
  type JsonObject,
  type RuleInfo,
  type RuleSet,
} from "../../common/sigma/mod.ts";
import { encodeFlat, type Engine } from "../../wasm/engine/mod.ts";
import { logSourceOf } from "./flat_event.ts";

/** What a rule set makes of an event. */
export interface FlatMatch {
  /** Rules that fire, in the order of the rule set. */
  readonly rules: readonly RuleInfo[];
  /** True when the event did not fit into a record: rules saw only the start of its values. */
  readonly truncated: boolean;
}

/** Runs events that come as JSON objects through a rule set. */
export class FlatMatcher {
  readonly #engine: Engine;
  readonly #ruleSet: RuleSet;

  /**
   * @param engine An engine of its own; the rule set is published to it.
   * @param ruleSet The rules.
   * @throws {ImmuneError} `IMAGE_INVALID` when the engine refuses the image.
   */
  constructor(engine: Engine, ruleSet: RuleSet) {
    engine.publish(ruleSet.image);
    this.#engine = engine;
    this.#ruleSet = ruleSet;
  }

  /**
   * The rules that fire on an event.
   *
   * @param event Event in ECS form, or flat with field names as rules have them.
   * @returns The rules, and whether they saw all of it.
   */
  match(event: JsonObject): FlatMatch {
    const { fields, rules } = this.#ruleSet;
    const claimed = logSourceOf(event);
    const values = fields.map((field) => fieldValue(event, field));
    const length = encodeFlat(values, this.#engine.batch, {
      logSources: claimed === undefined ? undefined : this.#ruleSet.logSourceBits(claimed),
    });
    return {
      rules: this.#engine.scan(length)
        .map((hit) => hit.rule)
        .sort((a, b) => a - b)
        .flatMap((index) => rules[index] ?? []),
      truncated: (decodeRecord(this.#engine.batch).flags & FLAGS.truncated) !== 0,
    };
  }
}
