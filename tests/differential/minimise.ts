import { parse } from "yaml";
import type { Comparer, Disagreement } from "./compare.ts";
import { type RuleDocument, ruleText } from "./generate/rule.ts";
import type { FlatEvent } from "./reference/event.ts";

/** Most smaller pairs that are tried for one disagreement. */
const TRIES_MAX = 3_000;

/** A rule and an event. */
export interface Pair {
  readonly rule: string;
  readonly event: FlatEvent;
}

/**
 * Makes a disagreement smaller for as long as the engine and the reference go on disagreeing.
 *
 * @param comparer Both.
 * @param pair Rule and event.
 * @returns A pair from which nothing more can be taken; the same one where the rule agrees once it
 * is alone.
 */
export function minimised(comparer: Comparer, { rule, event }: Pair): Pair {
  let tries = 0;
  const disagrees = (document: unknown, fields: FlatEvent): boolean => {
    if (++tries > TRIES_MAX) return false;
    try {
      const text = ruleText(document as RuleDocument);
      return comparer.compare([text], [fields]).disagreements
        .some(({ engine }: Disagreement) => typeof engine === "boolean");
    } catch {
      // A smaller rule may be one that is none.
      return false;
    }
  };
  let document: unknown = parse(rule, { intAsBigInt: true });
  let fields: unknown = Object.fromEntries(event);
  const asEvent = (value: unknown): FlatEvent =>
    new Map(Object.entries(value as Readonly<Record<string, string>>));
  for (let before = -1; before !== tries;) {
    before = tries;
    const start = [document, fields];
    document = smallest(document, (one) => disagrees(one, asEvent(fields)));
    fields = smallest(fields, (one) => disagrees(document, asEvent(one)));
    if (start[0] === document && start[1] === fields) break;
  }
  return { rule: ruleText(document as RuleDocument), event: asEvent(fields) };
}

/** Takes smaller forms of a value as long as one still disagrees. */
function smallest(value: unknown, disagrees: (value: unknown) => boolean): unknown {
  let best = value;
  for (let next: unknown = best; next !== undefined;) {
    next = smaller(best).find(disagrees);
    best = next ?? best;
  }
  return best;
}

/** Forms of a value with one thing less, large things first. */
function smaller(value: unknown): readonly unknown[] {
  if (typeof value === "string") {
    const characters = Array.from(value);
    const ends = characters.flatMap((_, i) => [
      characters.slice(0, i).join(""),
      characters.slice(i + 1).join(""),
    ]);
    return [
      ...ends.sort((a, b) => a.length - b.length),
      ...characters.map((_, i) => characters.filter((_, j) => i !== j).join("")),
    ];
  }
  if (Array.isArray(value)) {
    return [
      ...value.map((_, i) => value.filter((_, j) => i !== j)),
      ...value.flatMap((inner: unknown, i) =>
        smaller(inner).map((less) => value.map((other: unknown, j) => i === j ? less : other))
      ),
    ];
  }
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  return [
    ...entries.map(([name]) => Object.fromEntries(entries.filter(([other]) => other !== name))),
    ...entries.flatMap(([name, inner]: [string, unknown]) =>
      smaller(inner).map((less) => ({ ...value, [name]: less }))
    ),
  ];
}
