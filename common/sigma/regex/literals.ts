import type { CodeRange, RegexNode } from "./ast.ts";

/** Most strings that are followed side by side. */
const STRINGS_MAX = 16;
/** Longest string, in characters. */
const STRING_LENGTH_MAX = 48;

/** What is known of the texts that a part matches. */
interface Knowledge {
  /** All of them, folded; `undefined` when they are too many. */
  readonly exact: readonly string[] | undefined;
  /** Strings, folded, of which each of them holds one; `undefined` when none is known. */
  readonly needed: readonly string[] | undefined;
}

const NOTHING_KNOWN: Knowledge = { exact: undefined, needed: undefined };

/**
 * Strings of which one is in every text that matches: what can be looked for first.
 *
 * @param node A pattern.
 * @returns Strings, ASCII letters in lower case; `undefined` when a match may do without.
 */
export function requiredLiterals(node: RegexNode): readonly string[] | undefined {
  return bestOf(know(node));
}

function know(node: RegexNode): Knowledge {
  switch (node.type) {
    case "empty":
    case "assert":
      return { exact: [""], needed: undefined };
    case "group":
      return know(node.of);
    case "set":
      return { exact: charactersOf(node.ranges), needed: undefined };
    case "concat":
      return knowSequence(node.of);
    case "alternate":
      return knowAlternatives(node.of.map(know));
    case "repeat":
      if (node.min === 0) return NOTHING_KNOWN;
      if (node.min === 1 && node.max === 1) return know(node.of);
      return { exact: undefined, needed: bestOf(know(node.of)) };
  }
}

function knowSequence(parts: readonly RegexNode[]): Knowledge {
  let run: readonly string[] = [""];
  let isWhole = true;
  let needed: readonly string[] | undefined;
  for (const part of parts.map(know)) {
    const joined = part.exact === undefined ? undefined : product(run, part.exact);
    if (joined !== undefined) {
      run = joined;
      continue;
    }
    needed = better(needed, better(run, bestOf(part)));
    // What follows starts a new run.
    run = part.exact ?? [""];
    isWhole = false;
  }
  return isWhole ? { exact: run, needed } : { exact: undefined, needed: better(needed, run) };
}

function product(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  if (a.length * b.length > STRINGS_MAX) return undefined;
  const all = [...new Set(a.flatMap((first) => b.map((second) => first + second)))];
  return all.every(({ length }) => length <= STRING_LENGTH_MAX) ? all : undefined;
}

function knowAlternatives(parts: readonly Knowledge[]): Knowledge {
  const all = parts.flatMap(({ exact }) => exact ?? []);
  const isExact = parts.every(({ exact }) => exact !== undefined) && all.length <= STRINGS_MAX;
  const best = parts.map(bestOf);
  const needed = best.every((each) => each !== undefined) ? [...new Set(best.flat())] : undefined;
  return {
    exact: isExact ? [...new Set(all)] : undefined,
    needed: needed !== undefined && needed.length <= STRINGS_MAX ? needed : undefined,
  };
}

function bestOf({ exact, needed }: Knowledge): readonly string[] | undefined {
  return better(needed, exact);
}

/** The set whose shortest string is longer. */
function better(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  const [lengthA, lengthB] = [shortest(a), shortest(b)];
  if (lengthA === 0 && lengthB === 0) return undefined;
  return lengthB > lengthA ? b : a;
}

function shortest(strings: readonly string[] | undefined): number {
  return strings === undefined || strings.length === 0
    ? 0
    : Math.min(...strings.map(({ length }) => length));
}

/** The characters of a small set, ASCII folded; a letter in both cases is one. */
function charactersOf(ranges: readonly CodeRange[]): readonly string[] | undefined {
  const characters = new Set<string>();
  for (const [first, last] of ranges) {
    if (last - first >= STRINGS_MAX) return undefined;
    for (let code = first; code <= last; code++) {
      const isUpper = code >= 0x41 && code <= 0x5A;
      characters.add(String.fromCodePoint(isUpper ? code | 0x20 : code));
    }
  }
  // NUL stands for a space in what is matched.
  if (characters.has("\0") || characters.size === 0) return undefined;
  return characters.size <= STRINGS_MAX ? [...characters] : undefined;
}

/**
 * All texts that a part matches.
 *
 * @param node A part of a pattern.
 * @returns Texts, ASCII letters in lower case; `undefined` when they are too many.
 */
export function exactTexts(node: RegexNode): readonly string[] | undefined {
  return know(node).exact;
}
