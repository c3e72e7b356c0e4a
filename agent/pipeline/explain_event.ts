import { applies, lowered } from "../../common/sigma/log_source.ts";
import {
  explain,
  type Explanation,
  fieldValue,
  type JsonObject,
  probesOf,
  type Rule,
} from "../../common/sigma/mod.ts";
import { encodeFlat, type Engine } from "../../wasm/engine/mod.ts";
import { logSourceOf } from "./flat_event.ts";

/** Why a rule fires on an event or does not. */
export interface EventExplanation extends Explanation {
  /** The rule's log source is that of the event, as far as the event claims one. */
  readonly logSourceApplies: boolean;
  /** The rule fires. */
  readonly fires: boolean;
}

/**
 * Says which parts of a rule an event fulfils. The engine judges, by the same atoms as always.
 *
 * @param rule Rule, from `parseRules`.
 * @param event Event in ECS form, or flat with field names as rules have them.
 * @param options `engine`: one of its own; the rule's parts are published to it.
 * @returns Each part with its verdict.
 * @throws {ImmuneError} `RULE_SET_TOO_LARGE` when its tests do not fit in an image.
 */
export function explainEvent(
  rule: Rule,
  event: JsonObject,
  options: { readonly engine: Engine },
): EventExplanation {
  const { engine } = options;
  const { image, fields, tests } = probesOf(rule);
  engine.publish(image);
  const length = encodeFlat(fields.map((field) => fieldValue(event, field)), engine.batch, {
    logSources: undefined,
  });
  const held = new Set(engine.scan(length).flatMap((hit) => tests[hit.rule] ?? []));
  const explanation = explain(rule, { held, valueOf: (field) => fieldValue(event, field) });
  const claimed = logSourceOf(event);
  const logSourceApplies = claimed === undefined || applies(rule.logSource, lowered(claimed));
  return { ...explanation, logSourceApplies, fires: explanation.holds && logSourceApplies };
}
