import { parse } from "yaml";
import { conditionOf, type Predicate } from "./condition.ts";
import { type FlatEvent, ReferenceEvent } from "./event.ts";
import { testOf } from "./detection_item.ts";

/** What a rule is read with. */
export interface ReferenceOptions {
  /** Values of placeholders by name. Default: none. */
  readonly placeholders?: ReadonlyMap<string, readonly string[]>;
}

/**
 * A rule as the words of Sigma's specification have it: slow, and by means of its own. It takes
 * rules that load; what is wrong with a rule is not its matter.
 */
export class ReferenceRule {
  readonly #fires: Predicate;

  /**
   * @param text A rule as one YAML document.
   * @param options Values of placeholders.
   * @throws {SyntaxError} when it is no rule.
   */
  constructor(text: string, options: ReferenceOptions = {}) {
    const document: unknown = parse(text, { intAsBigInt: true });
    const detection = isMap(document) ? document["detection"] : undefined;
    if (!isMap(detection)) throw new SyntaxError("A rule has no detection");
    const { condition, ...rest } = detection;
    const selections = new Map<string, Predicate>();
    for (const [name, value] of Object.entries(rest)) {
      selections.set(name, selectionOf(value, options));
    }
    const conditions = listOf(condition).map((one) => conditionOf(String(one), selections));
    this.#fires = (event) => conditions.some((one) => one(event));
  }

  /**
   * @param event An event.
   * @returns True when the rule fires on it.
   */
  fires(event: ReferenceEvent | FlatEvent): boolean {
    return this.#fires(event instanceof ReferenceEvent ? event : new ReferenceEvent(event));
  }
}

/** A map: all of its tests. A list: any of its entries. A text: a keyword. */
function selectionOf(value: unknown, options: ReferenceOptions): Predicate {
  const entries = listOf(value).map((entry): Predicate => {
    if (!isMap(entry)) return testOf("", { value: entry, ...options });
    const tests = Object.entries(entry).map(([key, inner]) =>
      testOf(key, { value: inner, ...options })
    );
    return (event) => tests.every((test) => test(event));
  });
  return (event) => entries.some((entry) => entry(event));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
