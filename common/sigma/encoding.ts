import type { TextStep } from "./modifiers.ts";
import { EXPANSION_VALUES_MAX } from "./limits.ts";
import { ModifierError } from "./modifiers.ts";
import { ANY, ONE, type Pattern, pattern, type PatternPart } from "./value.ts";

/** Byte order mark; as a character it stands for FF FE, the mark of UTF-16LE. */
const MARK = "\uFEFF";
/** What `windash` takes for each other (Sigma modifiers appendix, `windash`). */
const DASHES = ["-", "/", "\u2013", "\u2014", "\u2015"] as const;
/** A dash that begins an option: no part of a word before it, one behind it. */
const OPTION = /(?<![\p{L}\p{N}_])[-/\u2013\u2014\u2015](?=[\p{L}\p{N}_])/gu;
const ENCODER = new TextEncoder();

/** A value on its way through a chain. */
export interface Encoded {
  readonly pattern: Pattern;
  /** Characters of its texts are bytes (and `MARK`), not text. */
  readonly bytes: boolean;
}

/**
 * Applies a step to a value.
 *
 * @param value The value so far.
 * @param step Any step but `expand`.
 * @returns What is looked for instead; any of them.
 * @throws {ModifierError} when the value cannot take it.
 */
export function encode(
  value: Encoded,
  step: Exclude<TextStep, "expand">,
): readonly Encoded[] {
  switch (step) {
    case "windash":
      return withDashes(value);
    case "utf16":
      return [{ pattern: pattern([MARK, ...wide(value.pattern, "le")]), bytes: true }];
    case "utf16le":
      return [{ pattern: wide(value.pattern, "le"), bytes: true }];
    case "utf16be":
      return [{ pattern: wide(value.pattern, "be"), bytes: true }];
    case "base64":
      return [plain(base64(bytesOf(value, step)))];
    case "base64offset": {
      const bytes = bytesOf(value, step);
      return [0, 1, 2].map((offset) => plain(base64At(bytes, offset)));
    }
  }
}

/**
 * Ends a chain: a value's bytes as the text that a field would have.
 *
 * @param value The value after its last step.
 * @returns Its pattern; a NUL is a space, as it is in fields.
 * @throws {ModifierError} when its bytes are no text.
 */
export function decoded({ pattern: parts, bytes }: Encoded): Pattern {
  if (!bytes) return parts;
  return parts.map((part) => {
    if (typeof part !== "string") return part;
    if (/[\x80-\xFF]/.test(part)) {
      throw new ModifierError("UTF-16 of a value beyond ASCII is no text; add base64");
    }
    return part.replaceAll("\0", " ");
  });
}

function plain(text: string): Encoded {
  return { pattern: pattern([text]), bytes: false };
}

function withDashes({ pattern: parts, bytes }: Encoded): readonly Encoded[] {
  let variants: readonly (readonly PatternPart[])[] = [[]];
  for (const part of parts) {
    const choices: readonly PatternPart[] = typeof part === "string" ? dashed(part) : [part];
    if (variants.length * choices.length > EXPANSION_VALUES_MAX) {
      throw new ModifierError(
        `Modifier "windash" makes more than ${EXPANSION_VALUES_MAX} values; split the value`,
      );
    }
    variants = variants.flatMap((start) =>
      choices.map((choice): readonly PatternPart[] => [...start, choice])
    );
  }
  return variants.map((variant) => ({ pattern: pattern(variant), bytes }));
}

/** A text with each dash of an option in each of its forms. */
function dashed(text: string): readonly string[] {
  const places = [...text.matchAll(OPTION)].map(({ index }) => index);
  if (DASHES.length ** places.length > EXPANSION_VALUES_MAX) {
    throw new ModifierError(
      `Modifier "windash" makes more than ${EXPANSION_VALUES_MAX} values; split the value`,
    );
  }
  return places.reduce<readonly string[]>(
    (texts, at) =>
      texts.flatMap((one) => DASHES.map((dash) => one.slice(0, at) + dash + one.slice(at + 1))),
    [text],
  );
}

function wide(parts: Pattern, order: "le" | "be"): Pattern {
  return parts.map((part) => {
    if (typeof part !== "string") return part;
    const units = Array.from({ length: part.length }, (_, i) => part.charCodeAt(i));
    return units.map((unit) => {
      const [low, high] = [String.fromCharCode(unit & 0xFF), String.fromCharCode(unit >> 8)];
      return order === "le" ? low + high : high + low;
    }).join("");
  });
}

function bytesOf({ pattern: parts, bytes }: Encoded, step: TextStep): Uint8Array {
  const text = parts.map((part) => {
    if (part !== ANY && part !== ONE) return part;
    throw new ModifierError(`Modifier "${step}" takes no wildcard; escape it or leave it out`);
  }).join("");
  if (!bytes) return ENCODER.encode(text);
  const marked = text.startsWith(MARK) ? `\xFF\xFE${text.slice(MARK.length)}` : text;
  return Uint8Array.from(marked, (character) => character.charCodeAt(0));
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** What of a text's Base64 form stays when `offset` bytes (modulo 3) stand before it. */
function base64At(bytes: Uint8Array, offset: number): string {
  const shifted = new Uint8Array(offset + bytes.length);
  shifted.set(bytes, offset);
  const start = [0, 2, 3][offset] ?? 0;
  const cut = [0, 3, 2][shifted.length % 3] ?? 0;
  const text = base64(shifted);
  return text.slice(start, text.length - cut);
}
