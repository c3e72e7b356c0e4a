import type { Expression } from "./expression.ts";
import { ANY, ONE, type Pattern } from "./value.ts";

/** Fields of an event by name; a field that is not there is absent. */
export type FlatEvent = ReadonlyMap<string, string>;

/**
 * Says whether an event fulfils an expression: slow, and as close to the words of the language as
 * can be. It is what the compiled image is compared with.
 *
 * @param expression What a rule asks.
 * @param event The event.
 * @returns True when it holds.
 */
export function evaluate(expression: Expression, event: FlatEvent): boolean {
  switch (expression.kind) {
    case "and":
      return expression.of.every((inner) => evaluate(inner, event));
    case "or":
      return expression.of.some((inner) => evaluate(inner, event));
    case "not":
      return !evaluate(expression.of, event);
    case "at_least":
      return expression.of.filter((inner) => evaluate(inner, event)).length >= expression.count;
    case "test": {
      const value = event.get(expression.field);
      if (expression.criterion.type === "absent") return value === undefined;
      if (expression.criterion.type !== "pattern") throw new TypeError("Not a pattern");
      return value !== undefined && matches(expression.criterion, value);
    }
  }
}

/**
 * Says whether a value is like a pattern, by a regular expression over its bytes.
 *
 * @param criterion Pattern, and whether case counts.
 * @param value Value of a field.
 * @returns True when the whole value is like it.
 */
export function matches(
  { pattern, cased }: { readonly pattern: Pattern; readonly cased: boolean },
  value: string,
): boolean {
  const source = pattern.map((part) => {
    if (part === ANY) return "[^]*";
    if (part === ONE) return "[^]";
    return bytesOf(part, cased).replaceAll(/[^A-Za-z0-9]/g, (c) => `\\x${hex(c)}`);
  });
  return new RegExp(`^${source.join("")}$`).test(bytesOf(value, cased));
}

/** One character a byte of UTF-8, NUL as space, ASCII letters in lower case unless `cased`. */
function bytesOf(text: string, cased: boolean): string {
  const characters = Array.from(new TextEncoder().encode(text), (byte) => {
    if (byte === 0) return " ";
    return String.fromCharCode(!cased && byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte);
  });
  return characters.join("");
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}
