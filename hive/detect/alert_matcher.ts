import { fieldValue, type JsonObject } from "../../common/sigma/event_value.ts";
import { encodeFlat, Engine } from "../../wasm/engine/mod.ts";
import type { FleetRules } from "./rules.ts";

/** Fewest processes that an engine's table takes: alerts are no processes. */
const PROCESSES = 4;

/** Runs the rules that judge alerts. */
export class AlertMatcher {
  readonly #engine: Engine;
  #rules: Pick<FleetRules, "fields" | "alertRules" | "alertSources"> | undefined;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Makes one, without rules. */
  static async create(): Promise<AlertMatcher> {
    return new AlertMatcher(await Engine.create({ processes: PROCESSES }));
  }

  /**
   * Takes over rules.
   *
   * @param rules The rules.
   * @throws {ImmuneError} `IMAGE_INVALID` when the engine refuses the image; those before stay.
   */
  use(rules: FleetRules): void {
    // Without such rules no alert is brought into the engine's form.
    if (rules.alertRules.size > 0) this.#engine.publish(rules.image);
    this.#rules = rules;
  }

  /**
   * The rules that fire on an alert.
   *
   * @param alert The alert's document.
   * @returns Their places in the rule set, in its order.
   */
  match(alert: JsonObject): readonly number[] {
    if (this.#rules === undefined || this.#rules.alertRules.size === 0) return [];
    const { fields, alertRules, alertSources } = this.#rules;
    const values = fields.map((field) => fieldValue(alert, field));
    const length = encodeFlat(values, this.#engine.batch, { logSources: alertSources });
    return this.#engine.scan(length)
      .map(({ rule }) => rule)
      .filter((rule) => alertRules.has(rule))
      .sort((a, b) => a - b);
  }
}
