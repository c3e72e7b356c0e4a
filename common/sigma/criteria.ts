import { atomTestOf } from "./atom.ts";
import { parseCidr } from "./cidr.ts";
import { type Criterion, type Likeness, type TimePart } from "./criterion.ts";
import { decoded, encode, type Encoded } from "./encoding.ts";
import { EXPANSION_VALUES_MAX, FIELD_NAME_LENGTH_MAX, VALUE_BYTES_MAX } from "./limits.ts";
import { type ChainTest, ModifierError } from "./modifiers.ts";
import { expand, type Placeholders } from "./placeholders.ts";
import { parseRegex } from "./regex/mod.ts";
import { ANY, ONE, parseValue, type Pattern, pattern, type PatternPart } from "./value.ts";

/** A value of a test, as YAML has it. */
export type Scalar = string | number | bigint | boolean;

/** What a chain needs beside the value. */
export interface CriteriaOptions {
  readonly placeholders: Placeholders;
}

type Of<K extends ChainTest["kind"]> = Extract<ChainTest, { kind: K }>;

const ENCODER = new TextEncoder();
/** NUL ends no value and 0x01, 0x02 are the wildcards of the image. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x02]/;
const NUMBER = /^[-+]?\d+(\.\d+)?$/;
/** Least and greatest value of each part of a time. */
const PART_RANGES: Readonly<Record<TimePart, readonly [number, number]>> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
  year: [0, 9999],
};

/**
 * What a field must be like for one value of a rule.
 *
 * @param value The value; null has criteria of its own.
 * @param test What its modifiers ask for.
 * @param options Values of placeholders.
 * @returns Criteria of which any is to be fulfilled.
 * @throws {ModifierError} when the value does not go with the modifiers.
 * @throws {PlaceholderError} when a placeholder has no value.
 * @throws {RegexError} when a regular expression cannot be used.
 */
export function criteriaOf(
  value: Scalar,
  test: ChainTest,
  options: CriteriaOptions,
): readonly Criterion[] {
  switch (test.kind) {
    case "text":
      return textCriteria(value, test, options);
    case "regex":
      return regexCriteria(String(value), test, options);
    case "cidr":
      return texts(String(value), test.expand, options).map(cidrCriterion);
    case "number":
      return [numberCriterion(value, test)];
    case "fieldref":
      return [fieldrefCriterion(value, test)];
    case "exists":
      return [existsCriterion(value)];
  }
}

function texts(text: string, isExpanded: boolean, options: CriteriaOptions): readonly string[] {
  return isExpanded ? expand(text, options) : [text];
}

function textCriteria(
  value: Scalar,
  { steps, likeness, cased }: Of<"text">,
  options: CriteriaOptions,
): readonly Criterion[] {
  const isText = typeof value === "string";
  if (steps.length === 0) {
    const plain = isText ? parseValue(value) : [String(value)];
    return [{ type: "pattern", pattern: like(bounded(plain), likeness), cased }];
  }
  const starts = texts(String(value), isText && steps.includes("expand"), options);
  let values: readonly Encoded[] = starts.map((text) => ({
    pattern: isText ? parseValue(text) : pattern([text]),
    bytes: false,
  }));
  for (const step of steps) {
    if (step === "expand") continue;
    values = values.flatMap((one) => encode(one, step));
    if (values.length > EXPANSION_VALUES_MAX) {
      throw new ModifierError(
        `Modifiers make more than ${EXPANSION_VALUES_MAX} values; split the value`,
      );
    }
  }
  return values.map((one) => ({
    type: "pattern",
    pattern: like(bounded(decoded(one)), likeness),
    cased,
  }));
}

function bounded(value: Pattern): Pattern {
  const [first] = value;
  const text = value.length === 1 && typeof first === "string"
    ? first
    : value.map((part) => part === ANY ? "*" : part === ONE ? "?" : part).join("");
  refuseLong(text);
  if (CONTROL.test(text)) throw new ModifierError("a value has a byte of 0x00 to 0x02");
  return value;
}

function refuseLong(text: string): void {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= VALUE_BYTES_MAX) return;
  if (ENCODER.encode(text).length <= VALUE_BYTES_MAX) return;
  throw new ModifierError(`a value has over ${VALUE_BYTES_MAX} bytes`);
}

function like(value: Pattern, likeness: Likeness): Pattern {
  const parts: PatternPart[] = [...value];
  if (likeness === "contains" || likeness === "endswith") parts.unshift(ANY);
  if (likeness === "contains" || likeness === "startswith") parts.push(ANY);
  return pattern(parts);
}

function regexCriteria(
  value: string,
  { likeness, expand: isExpanded, ignoreCase, multiline, dotAll }: Of<"regex">,
  { placeholders }: CriteriaOptions,
): readonly Criterion[] {
  const quoted = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const sources = isExpanded ? expand(value, { placeholders, quoted }) : [value];
  const flags = { ignoreCase, multiline, dotAll };
  return sources.map((text): Criterion => {
    refuseLong(text);
    // As it stands, so that a problem has its place in the rule's own text.
    parseRegex(text, flags);
    const criterion: Criterion = { type: "regex", source: anchored(text, likeness), ...flags };
    atomTestOf(criterion);
    return criterion;
  });
}

function anchored(source: string, likeness: Likeness): string {
  if (likeness === "startswith") return `\\A(?:${source})`;
  return likeness === "endswith" ? `(?:${source})\\z` : source;
}

function cidrCriterion(text: string): Criterion {
  const network = parseCidr(text);
  if (typeof network === "string") throw new ModifierError(network);
  return { type: "cidr", ...network };
}

function numberCriterion(value: Scalar, { comparison, part }: Of<"number">): Criterion {
  const isNumber = typeof value === "number" || typeof value === "bigint" ||
    (typeof value === "string" && NUMBER.test(value));
  const number = Number(value);
  if (!isNumber || !Number.isFinite(number)) {
    throw new ModifierError(`"${value}" is no number`);
  }
  if (typeof value === "bigint" && BigInt(number) !== value) {
    throw new ModifierError(`${value} is too large to be compared exactly`);
  }
  if (part === undefined) return { type: "number", comparison, number };
  const [least, most] = PART_RANGES[part];
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new ModifierError(`${part} is ${value}, and goes from ${least} to ${most}`);
  }
  return { type: "number", comparison, number, part };
}

function fieldrefCriterion(value: Scalar, { likeness, cased }: Of<"fieldref">): Criterion {
  if (typeof value !== "string" || value === "" || value.length > FIELD_NAME_LENGTH_MAX) {
    throw new ModifierError(`"${value}" is no name of a field`);
  }
  if (parseValue(value).some((one) => typeof one !== "string")) {
    throw new ModifierError(`"${value}" has a wildcard, which no name of a field has`);
  }
  return { type: "fieldref", other: value, likeness, cased };
}

function existsCriterion(value: Scalar): Criterion {
  if (value === true) return { type: "pattern", pattern: [ANY], cased: false };
  if (value === false) return { type: "absent" };
  throw new ModifierError(`"exists" takes true or false, not "${value}"`);
}
