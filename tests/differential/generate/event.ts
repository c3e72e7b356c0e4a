import type { Random } from "../../support/random.ts";
import type { FlatEvent } from "../reference/event.ts";
import type { GeneratedRule } from "./rule.ts";
import { nearly, textOfWords } from "./text.ts";

/** Words around a value that stands in a long text. */
const LONG_WORDS = 200;
const OTHER_FIELDS = ["CommandLine", "Image", "A", "Unasked", "Count"];

/**
 * An event that some rule may fire on: it has most of what the rule's tests want, and sometimes
 * nearly.
 *
 * @param random Choices.
 * @param rules Rules that it is made for.
 */
export function generatedEvent(random: Random, rules: readonly GeneratedRule[]): FlatEvent {
  const event = new Map<string, string>();
  const misses = random.pick([0, 0, 10, 30, 60]);
  const take = ({ wishes }: GeneratedRule): void => {
    for (const { field, value } of wishes) {
      if (random.chance(10)) continue;
      if (value === undefined) event.delete(field);
      else event.set(field, stretched(random.chance(misses) ? nearly(value, random) : value));
    }
  };
  const stretched = (value: string): string => {
    if (!random.chance(3)) return value;
    return `${textOfWords(random, LONG_WORDS)}${value}${textOfWords(random, LONG_WORDS)}`;
  };
  if (random.chance(30)) take(random.pick(rules));
  take(random.pick(rules));
  if (random.chance(30)) event.set(random.pick(OTHER_FIELDS), textOfWords(random, 6));
  return event;
}
