import { isInNetwork } from "./address.ts";
import type { Predicate } from "./condition.ts";
import { change, type Changed, partsOf } from "./encode.ts";
import type { Value } from "./event.ts";
import { numberOf, timePartOf } from "./number.ts";
import { type Likeness, patternOf, plainParts, quoted, readWildcards } from "./pattern.ts";
import { regexOf } from "./regex.ts";

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
};
const TIME_PARTS = ["minute", "hour", "day", "week", "month", "year"];

/** What a test stands for. */
export interface TestOptions {
  /** Its value or values. */
  readonly value: unknown;
  readonly placeholders?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads a test.
 *
 * @param key `field|modifier|modifier`, without a field for keywords.
 * @param options Its values.
 * @returns Whether an event fulfils it.
 */
export function testOf(key: string, { value, placeholders = new Map() }: TestOptions): Predicate {
  const [field = "", ...modifiers] = key.split("|");
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  const values = given.length === 0 ? [null] : given;
  const singles = values.flatMap((one): readonly Predicate[] => {
    if (one === null) return [(event) => event.value(field) === undefined];
    const texts = modifiers.includes("expand") ? expanded(String(one), placeholders) : [one];
    // What one value becomes is any of it, also where all values of a list are wanted.
    const forms = texts.map((text) => singleOf({ field, modifiers, value: text }));
    return [(event) => forms.some((form) => form(event))];
  });
  const joined: Predicate = modifiers.includes("all")
    ? (event) => singles.every((single) => single(event))
    : (event) => singles.some((single) => single(event));
  return modifiers.includes("neq") ? (event) => !joined(event) : joined;
}

interface Single {
  readonly field: string;
  readonly modifiers: readonly string[];
  readonly value: unknown;
}

function singleOf(single: Single): Predicate {
  const { field, modifiers, value } = single;
  const part = modifiers.find((name) => TIME_PARTS.includes(name));
  const comparison = modifiers.find((name) => name in COMPARISONS);
  if (modifiers.includes("exists")) {
    return (event) => (event.value(field) !== undefined) === value;
  }
  if (modifiers.includes("fieldref")) return fieldrefOf(single);
  if (modifiers.includes("cidr")) {
    return there(field, ({ text }) => isInNetwork(String(value), text));
  }
  if (part !== undefined || comparison !== undefined) {
    const compare = COMPARISONS[comparison ?? ""] ?? ((a, b) => a === b);
    return there(field, ({ text }) => {
      const number = part === undefined ? numberOf(text) : timePartOf(text, part);
      return number !== undefined && compare(number, Number(value));
    });
  }
  if (modifiers.includes("re")) {
    const regex = regexOf(String(value), {
      ignoreCase: modifiers.includes("i"),
      multiline: modifiers.includes("m"),
      dotAll: modifiers.includes("s"),
      atStart: modifiers.includes("startswith"),
      atEnd: modifiers.includes("endswith"),
    });
    return there(field, ({ bytes }) => regex.test(bytes));
  }
  return textOf(single);
}

/** A value is only compared where there is one. */
function there(field: string, test: (value: Value) => boolean): Predicate {
  return (event) => {
    const value = event.value(field);
    return value !== undefined && test(value);
  };
}

function textOf({ field, modifiers, value }: Single): Predicate {
  const parts = typeof value === "string" ? readWildcards(value) : plainParts(String(value));
  const changed = modifiers.reduce<readonly Changed[]>(
    (values, name) => values.flatMap((one) => change(one, name) ?? [one]),
    [{ kind: "text", parts }],
  );
  const likeness = likenessOf(modifiers, { isKeyword: field === "" });
  const patterns = changed.map((one) => patternOf(partsOf(one), likeness));
  return there(field, ({ bytes, folded }) => {
    return patterns.some((pattern) => pattern(likeness.cased ? bytes : folded));
  });
}

function likenessOf(
  modifiers: readonly string[],
  { isKeyword }: { readonly isKeyword: boolean },
): Likeness {
  const contains = isKeyword || modifiers.includes("contains");
  return {
    openStart: contains || modifiers.includes("endswith"),
    openEnd: contains || modifiers.includes("startswith"),
    cased: modifiers.includes("cased"),
  };
}

function fieldrefOf({ field, modifiers, value }: Single): Predicate {
  const likeness = likenessOf(modifiers, { isKeyword: false });
  return (event) => {
    const [one, other] = [event.value(field), event.value(String(value))];
    if (one === undefined || other === undefined) return false;
    const form = likeness.cased ? "bytes" : "folded";
    const open = (isOpen: boolean): string => isOpen ? "[^]*" : "";
    const source = `${open(likeness.openStart)}${quoted(other[form])}${open(likeness.openEnd)}`;
    return new RegExp(`^${source}$`).test(one[form]);
  };
}

/** A text with each choice of values for its placeholders; `\%` is a percent sign. */
function expanded(
  text: string,
  placeholders: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const [whole, name = ""] = /(?<!\\)%([\w.-]+)%/.exec(text) ?? [];
  if (whole === undefined) return [text.replaceAll("\\%", "%")];
  const values = placeholders.get(name) ?? [];
  return values.flatMap((value) => expanded(text.replace(whole, () => value), placeholders));
}
