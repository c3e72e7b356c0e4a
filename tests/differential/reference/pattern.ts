import { bytesAsText, folded } from "./event.ts";

/** A character that is meant as it stands. */
export interface Plain {
  readonly plain: string;
}
/** A value of a rule, character by character: plain, or `*`, or `?`. */
export type Part = Plain | "*" | "?";

/**
 * Reads wildcards and escapes (Sigma rules, "Escaping"): a backslash makes `*`, `?` and a backslash
 * plain; before anything else it is a plain backslash.
 *
 * @param text Value as the rule has it.
 * @returns Its characters.
 */
export function readWildcards(text: string): readonly Part[] {
  return [...text.matchAll(/\\([*?\\])|([*?])|([^])/gu)].map(([, escaped, wildcard, other]) => {
    if (wildcard === "*" || wildcard === "?") return wildcard;
    return { plain: escaped ?? other ?? "" };
  });
}

/**
 * A text in which nothing is a wildcard.
 *
 * @param text Any text.
 * @returns Its characters.
 */
export function plainParts(text: string): readonly Part[] {
  return Array.from(text, (plain) => ({ plain }));
}

/** How a value has to stand in the field's. */
export interface Likeness {
  /** Anything may stand before it. */
  readonly openStart: boolean;
  /** Anything may follow it. */
  readonly openEnd: boolean;
  /** Letters count as they are written. */
  readonly cased: boolean;
}

/**
 * A value as a question to the whole of a field's.
 *
 * @param parts The value.
 * @param likeness How it has to stand.
 * @returns Whether a text, as {@linkcode bytesAsText} has it and folded unless `cased`, is like it.
 */
export function patternOf(
  parts: readonly Part[],
  { openStart, openEnd, cased }: Likeness,
): (text: string) => boolean {
  const all: readonly Part[] = [
    ...(openStart ? ["*"] as const : []),
    ...parts,
    ...(openEnd ? ["*"] as const : []),
  ];
  const [first, ...others] = stretchesOf(all, cased);
  const last = others.pop();
  if (first === undefined) return () => false;
  if (last === undefined) {
    return (text) => text.length === first.text.length && standsAt(first, text, 0);
  }
  return (text) => {
    if (!standsAt(first, text, 0)) return false;
    let at = first.text.length;
    for (const stretch of others) {
      // Each stretch as early as it goes leaves the most room for the next.
      const found = placeOf(stretch, text, at);
      if (found < 0) return false;
      at = found + stretch.text.length;
    }
    const end = text.length - last.text.length;
    return end >= at && standsAt(last, text, end);
  };
}

/** What stands between two stars. */
interface Stretch {
  /** Its characters; what stands where any one may, does not matter. */
  text: string;
  /** Places of those. */
  readonly open: number[];
}

function stretchesOf(parts: readonly Part[], cased: boolean): readonly Stretch[] {
  const stretches: Stretch[] = [{ text: "", open: [] }];
  for (const part of parts) {
    const stretch = stretches.at(-1);
    if (part === "*" || stretch === undefined) stretches.push({ text: "", open: [] });
    else if (part === "?") {
      stretch.open.push(stretch.text.length);
      stretch.text += "?";
    } else {
      const text = bytesAsText(part.plain);
      stretch.text += cased ? text : folded(text);
    }
  }
  return stretches;
}

/** Whether a stretch stands at a place of a text. */
function standsAt({ text, open }: Stretch, value: string, at: number): boolean {
  if (open.length === 0) return value.startsWith(text, at);
  if (at + text.length > value.length) return false;
  return text.split("").every((unit, i) => open.includes(i) || unit === value[at + i]);
}

/** The first place from `from` on where a stretch stands, or -1. */
function placeOf(stretch: Stretch, value: string, from: number): number {
  if (stretch.open.length === 0) return value.indexOf(stretch.text, from);
  for (let at = from; at + stretch.text.length <= value.length; at++) {
    if (standsAt(stretch, value, at)) return at;
  }
  return -1;
}

/**
 * A text that a regular expression takes as it is.
 *
 * @param text One character a byte.
 * @returns Its escaped form.
 */
export function quoted(text: string): string {
  return text.replaceAll(
    /[^A-Za-z0-9]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
