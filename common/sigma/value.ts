// Values of field tests: text with wildcards, as bytes (UTF-8), ASCII case folded.

/** `*`: any number of bytes. */
export const ANY: unique symbol = Symbol("any");
/** `?`: exactly one byte. */
export const ONE: unique symbol = Symbol("one");

/** A stretch of text to be found as it is, or a wildcard. */
export type PatternPart = string | typeof ANY | typeof ONE;

/** A whole value. No text is empty, no two texts and no two `ANY` are neighbours. */
export type Pattern = readonly PatternPart[];

/**
 * Puts a pattern in its one normal form.
 *
 * @param parts Any sequence of parts.
 * @returns The same pattern without empty or doubled parts.
 */
export function pattern(parts: readonly PatternPart[]): Pattern {
  const out: PatternPart[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part === "" || (part === ANY && last === ANY)) continue;
    if (typeof part === "string" && typeof last === "string") out[out.length - 1] = last + part;
    else out.push(part);
  }
  return out;
}

const SPECIAL = /[\\*?]/;

/**
 * Reads a value with Sigma's wildcards and escapes (Sigma 2.1, "Escaping"): a backslash before
 * `*`, `?` or a backslash makes that character plain; before anything else it is plain itself.
 *
 * @param text Value as the rule has it.
 * @returns Its pattern.
 */
export function parseValue(text: string): Pattern {
  // Most values have neither, and rules have many.
  if (!SPECIAL.test(text)) return text === "" ? [] : [text];
  const parts: PatternPart[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    const next = text[i + 1];
    if (character === "\\" && (next === "*" || next === "?" || next === "\\")) {
      parts.push(text.slice(from, i));
      // The escaped character starts the next stretch.
      from = ++i;
    } else if (character === "*" || character === "?") {
      parts.push(text.slice(from, i), character === "*" ? ANY : ONE);
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return pattern(parts);
}

/**
 * Writes a pattern as a value that {@linkcode parseValue} reads back.
 *
 * @param parts Pattern.
 * @returns Text with escapes.
 */
export function formatValue(parts: Pattern): string {
  return parts.map((part) => {
    if (part === ANY) return "*";
    if (part === ONE) return "?";
    return part.replaceAll(/[\\*?]/g, (character) => `\\${character}`);
  }).join("");
}

/**
 * Folds ASCII letters to lower case; all other characters stay.
 *
 * @param text Any text.
 * @returns Folded text.
 */
export function foldCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
