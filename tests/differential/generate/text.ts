import type { Random } from "../../support/random.ts";
import type { Part } from "../reference/pattern.ts";

/** Few and alike, so that values often nearly match. */
const WORDS = [
  ..."a A b ab aab ba sh bash Bash /bin/ /tmp/x .sh curl -c -enc --e /s net 0 1 10 x_ : % ' \""
    .split(
      " ",
    ),
  " ",
  "  ",
  "é",
  "É",
  "ß",
  "日本",
  "–f",
  "\u2015x",
  "😀",
  "\t",
  "\\",
  "*",
  "?",
];

const LETTERS = "abcdefghijklmnopqrstuvwxyzABZ0189-_./";
/** Longest word that is none of the usual ones, in letters. */
const WORD_LETTERS_MAX = 24;

function word(random: Random): string {
  if (!random.chance(12)) return random.pick(WORDS);
  const letter = (): string => LETTERS.charAt(random.below(LETTERS.length));
  return random.list(letter, { least: 1, most: WORD_LETTERS_MAX }).join("");
}

/**
 * A text of a few words.
 *
 * @param random Choices.
 * @param most Most words.
 */
export function textOfWords(random: Random, most: number): string {
  return random.list(() => word(random), { least: 0, most }).join("");
}

/**
 * A value of a rule, with a wildcard here and there.
 *
 * @param random Choices.
 * @param options `wildcards`: whether it may have some. `words`: most of them.
 * @returns Its characters.
 */
export function valueParts(
  random: Random,
  { wildcards, words }: { readonly wildcards: boolean; readonly words: number },
): readonly Part[] {
  const parts = random.list((): readonly Part[] => {
    if (wildcards && random.chance(12)) return [random.chance(60) ? "*" : "?"];
    return Array.from(word(random), (plain) => ({ plain }));
  }, { least: random.chance(3) ? 0 : 1, most: words });
  return parts.flat();
}

/**
 * Writes a value as a rule has it. A backslash that need not be escaped sometimes is not.
 *
 * @param parts The value.
 * @param random Choices.
 */
export function escaped(parts: readonly Part[], random: Random): string {
  return parts.map((part, i) => {
    if (typeof part === "string") return part;
    if (part.plain === "*" || part.plain === "?") return `\\${part.plain}`;
    if (part.plain !== "\\") return part.plain;
    const next = parts[i + 1];
    const isFree = typeof next === "object" && !"*?\\".includes(next.plain);
    return isFree && random.chance(50) ? "\\" : "\\\\";
  }).join("");
}

/**
 * A text that a value could be found in as it stands.
 *
 * @param parts The value.
 * @param random Choices.
 * @returns Its characters, with others for its wildcards.
 */
export function filled(parts: readonly Part[], random: Random): string {
  return parts.map((part) => {
    if (part === "*") return textOfWords(random, 2);
    return part === "?" ? random.pick(["a", "-", " ", "Z"]) : part.plain;
  }).join("");
}

/**
 * Nearly the same text: a character less, more or other, or in the other case.
 *
 * @param text Any text.
 * @param random Choices.
 */
export function nearly(text: string, random: Random): string {
  const characters = Array.from(text);
  const at = random.below(characters.length + 1);
  const here = characters[at] ?? "";
  const isSmall = here === here.toLowerCase();
  const changed = random.pick([
    "",
    `${here}${here}`,
    isSmall ? here.toUpperCase() : here.toLowerCase(),
    random.pick(WORDS),
    `${random.pick(WORDS)}${here}`,
    random.chance(20) ? "\0" : " ",
  ]);
  return [...characters.slice(0, at), changed, ...characters.slice(at + 1)].join("");
}
