import type { Random } from "../../support/random.ts";
import { change, type Changed, partsOf } from "../reference/encode.ts";
import { generatedRegex } from "./regex.ts";
import { escaped, filled, textOfWords, valueParts } from "./text.ts";
import { network, number, timePart } from "./typed.ts";

/** What an event should have so that a test may hold; `undefined`: not that field. */
export interface Wish {
  readonly field: string;
  readonly value: string | undefined;
}

/** A test of a rule, and events that could fulfil it. */
export interface GeneratedTest {
  /** `field|modifier|modifier`. */
  readonly key: string;
  readonly value: unknown;
  readonly wishes: readonly Wish[];
}

const TEXT_FIELDS = ["CommandLine", "Image", "ParentImage", "User", "A", "b.c", "Ü"];
const LIKENESSES = ["", "contains", "contains", "startswith", "endswith"];
const ENCODINGS: readonly (readonly string[])[] = [
  ["base64"],
  ["base64offset"],
  ["wide", "base64offset"],
  ["utf16le", "base64"],
  ["utf16be", "base64"],
  ["utf16", "base64"],
  ["wide"],
  ["windash", "base64"],
];
const TIME_PARTS = ["minute", "hour", "day", "week", "month", "year"];
const COMPARISONS = ["lt", "lte", "gt", "gte"];
/** Values of `%name%` that rules may ask for. */
export const PLACEHOLDERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["one", ["ab"]],
  ["more.of-them", ["sh", "*.sh", "b?", "\\*"]],
]);

/** Kinds of tests, and how often each comes. */
const KINDS: readonly (readonly [weight: number, make: (random: Random) => GeneratedTest])[] = [
  [50, textTest],
  [10, encodedTest],
  [8, windashTest],
  [10, regexTest],
  [6, cidrTest],
  [6, numberTest],
  [4, timeTest],
  [5, fieldrefTest],
  [4, existsTest],
  [5, nullTest],
  [4, expandTest],
  [3, plainNumberTest],
];
const WEIGHTS = KINDS.reduce((sum, [weight]) => sum + weight, 0);

/**
 * A test of any kind.
 *
 * @param random Choices.
 */
export function generatedTest(random: Random): GeneratedTest {
  let at = random.below(WEIGHTS);
  for (const [weight, make] of KINDS) {
    at -= weight;
    if (at < 0) return make(random);
  }
  throw new RangeError("No kind of test");
}

/**
 * Keywords, which all of an event is searched for.
 *
 * @param random Choices.
 * @returns A test without a field.
 */
export function keywordTest(random: Random): GeneratedTest {
  const isRegex = random.chance(20);
  const modifiers = isRegex ? ["re"] : random.chance(20) ? ["cased"] : [];
  return listTest(
    random,
    { field: "", modifiers, likeness: "" },
    () => isRegex ? regexValue(random, "") : textValue(random, { likeness: "contains", modifiers }),
  );
}

interface ListValue {
  readonly value: unknown;
  readonly sample: string;
}

interface ListShape {
  readonly field: string;
  readonly modifiers: readonly string[];
  readonly likeness: string;
}

/** A test of one or a few values, sometimes of all of them, sometimes turned around. */
function listTest(
  random: Random,
  shape: ListShape,
  make: () => ListValue,
): GeneratedTest {
  const isPlain = shape.field !== "" && shape.modifiers.length === 0 && shape.likeness === "";
  const list = random.chance(50)
    ? [make()]
    : random.list(make, { least: isPlain && random.chance(5) ? 0 : 1, most: 3 });
  const isAll = list.length > 0 && random.chance(15);
  const names = [
    ...shape.modifiers,
    ...(shape.likeness === "" ? [] : [shape.likeness]),
    ...(isAll ? ["all"] : []),
    ...(random.chance(6) && shape.field !== "" ? ["neq"] : []),
  ];
  const values = list.map(({ value }) => value);
  const samples = list.map(({ sample }) => sample);
  const sample = isAll
    ? samples.join(textOfWords(random, 1))
    : samples[random.below(samples.length || 1)];
  return {
    key: [shape.field, ...names].join("|"),
    value: list.length === 1 && random.chance(70) ? values[0] : values,
    wishes: [{ field: shape.field === "" ? random.pick(TEXT_FIELDS) : shape.field, value: sample }],
  };
}

interface TextShape {
  readonly likeness: string;
  readonly modifiers: readonly string[];
  readonly wildcards?: boolean;
}

function textValue(random: Random, shape: TextShape): ListValue {
  const { likeness, modifiers, wildcards = true } = shape;
  // Each dash of a long value would take five forms.
  const words = modifiers.includes("windash") || random.chance(95) ? 4 : 12;
  const parts = valueParts(random, { wildcards, words });
  const forms = modifiers.reduce<readonly Changed[]>(
    (values, name) => values.flatMap((one) => change(one, name) ?? [one]),
    [{ kind: "text", parts }],
  );
  const before = likeness === "contains" || likeness === "endswith" ? textOfWords(random, 2) : "";
  const after = likeness === "contains" || likeness === "startswith" ? textOfWords(random, 2) : "";
  const isInside = modifiers.length === 1 && modifiers[0] === "base64offset" && random.chance(60);
  const sample = isInside
    ? base64(`${before}${filled(parts, random)}${after}`)
    : `${before}${filled(partsOf(random.pick(forms)), random)}${after}`;
  return { value: escaped(parts, random), sample };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function textTest(random: Random): GeneratedTest {
  const likeness = random.pick(LIKENESSES);
  const modifiers = random.chance(15) ? ["cased"] : [];
  return listTest(
    random,
    { field: random.pick(TEXT_FIELDS), modifiers, likeness },
    () => textValue(random, { likeness, modifiers }),
  );
}

function encodedTest(random: Random): GeneratedTest {
  const likeness = random.pick(LIKENESSES);
  const modifiers = random.pick(ENCODINGS);
  const isBase64 = modifiers.some((name) => name.startsWith("base64"));
  return listTest(random, { field: random.pick(TEXT_FIELDS), modifiers, likeness }, () => {
    if (isBase64) {
      const value = textValue(random, { likeness, modifiers, wildcards: false });
      return value.value === "" ? { ...value, value: "ab" } : value;
    }
    // UTF-16 beyond ASCII is no text.
    const text = random.pick(["a", "ab", "-c", "net user", "a*b", "?x"]);
    return { value: text, sample: Array.from(text).map((one) => `${one}\0`).join("") };
  });
}

function windashTest(random: Random): GeneratedTest {
  const likeness = random.pick(LIKENESSES);
  const modifiers = ["windash"];
  return listTest(
    random,
    { field: random.pick(TEXT_FIELDS), modifiers, likeness },
    () => textValue(random, { likeness, modifiers }),
  );
}

function expandTest(random: Random): GeneratedTest {
  const likeness = random.pick(LIKENESSES);
  const shape = { field: random.pick(TEXT_FIELDS), modifiers: ["expand"], likeness };
  return listTest(random, shape, () => {
    const [name, values] = random.pick([...PLACEHOLDERS]);
    const before = random.pick(["", "a", "\\%", "x/"]);
    const after = random.pick(["", "b", "\\%x%"]);
    return {
      value: `${before}%${name}%${after}`,
      sample: `${before}${random.pick(values)}${after}`.replaceAll("\\", ""),
    };
  });
}

function plainNumberTest(random: Random): GeneratedTest {
  const shape = { field: random.pick(["Count", "A"]), modifiers: [], likeness: "" };
  return listTest(random, shape, () => {
    const value = random.pick([0, 1, 10, -5, 1.5, true, false]);
    return { value, sample: String(value) };
  });
}

function regexValue(random: Random, likeness: string): ListValue {
  const { source, sample } = generatedRegex(random);
  const before = likeness === "startswith" ? "" : textOfWords(random, 1);
  const after = likeness === "endswith" ? "" : textOfWords(random, 1);
  return { value: source, sample: `${before}${sample}${after}` };
}

function regexTest(random: Random): GeneratedTest {
  const flags = ["i", "m", "s"].filter(() => random.chance(25));
  const likeness = random.chance(20) ? random.pick(LIKENESSES) : "";
  const shape = { field: random.pick(TEXT_FIELDS), modifiers: ["re", ...flags], likeness };
  return listTest(random, shape, () => {
    const value = regexValue(random, likeness);
    return flags.includes("m") && random.chance(50)
      ? { ...value, sample: `x\n${value.sample}\ny` }
      : value;
  });
}

function cidrTest(random: Random): GeneratedTest {
  const shape = { field: random.pick(["DestinationIp", "A"]), modifiers: ["cidr"], likeness: "" };
  return listTest(random, shape, () => network(random));
}

function numberTest(random: Random): GeneratedTest {
  const modifiers = [random.pick(COMPARISONS)];
  const shape = { field: random.pick(["Count", "Port"]), modifiers, likeness: "" };
  return listTest(random, shape, () => number(random));
}

function timeTest(random: Random): GeneratedTest {
  const part = random.pick(TIME_PARTS);
  const modifiers = [part, ...(random.chance(30) ? [random.pick(COMPARISONS)] : [])];
  return listTest(random, { field: "Time", modifiers, likeness: "" }, () => timePart(random, part));
}

function fieldrefTest(random: Random): GeneratedTest {
  const [field, other] = [random.pick(TEXT_FIELDS), random.pick(TEXT_FIELDS)];
  const likeness = random.pick(LIKENESSES);
  const names = ["fieldref", likeness, random.chance(25) ? "cased" : ""];
  const value = textOfWords(random, 3);
  const around = random.chance(60) ? "" : random.pick(["a", "/"]);
  return {
    key: [field, ...names.filter((name) => name !== "")].join("|"),
    value: other,
    wishes: [{ field: other, value }, { field, value: `${around}${value}${around}` }],
  };
}

function existsTest(random: Random): GeneratedTest {
  const field = random.pick(TEXT_FIELDS);
  const value = random.chance(50);
  return { key: `${field}|exists`, value, wishes: [{ field, value: value ? "" : undefined }] };
}

function nullTest(random: Random): GeneratedTest {
  const field = random.pick(TEXT_FIELDS);
  const value = random.pick([null, [null, ""], "", [null, "a"], "*", "?", "*a*"]);
  const sample = random.pick([undefined, "", "a"]);
  return { key: field, value, wishes: [{ field, value: sample }] };
}
