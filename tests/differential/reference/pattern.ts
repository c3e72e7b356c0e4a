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
  const [first = "", ...others] = stretchesOf(all, cased);
  const last = others.pop();
  if (last === undefined) {
    const whole = new RegExp(`^${first}$`);
    return (text) => whole.test(text);
  }
  const stretches = [
    ...(first === "" ? [] : [`^${first}`]),
    ...others.filter((stretch) => stretch !== ""),
    ...(last === "" ? [] : [`${last}$`]),
  ].map((source) => new RegExp(source, "g"));
  return (text) => {
    let at = 0;
    // Each stretch as early as it goes leaves the most room for the next.
    return stretches.every((stretch) => {
      stretch.lastIndex = at;
      const found = stretch.test(text);
      at = stretch.lastIndex;
      return found;
    });
  };
}

/** What stands between the stars, as regular expressions without repetition. */
function stretchesOf(parts: readonly Part[], cased: boolean): readonly string[] {
  const stretches = [""];
  for (const part of parts) {
    if (part === "*") stretches.push("");
    else {
      const text = part === "?" ? "" : bytesAsText(part.plain);
      const source = part === "?" ? "[^]" : quoted(cased ? text : folded(text));
      stretches.push(`${stretches.pop()}${source}`);
    }
  }
  return stretches;
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
