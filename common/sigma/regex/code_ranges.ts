import type { CodeRange } from "./ast.ts";

/** Last code point of Unicode. */
export const CODE_POINT_MAX = 0x10FFFF;

const DIGIT: readonly CodeRange[] = [[0x30, 0x39]];
const WORD: readonly CodeRange[] = [[0x30, 0x39], [0x41, 0x5A], [0x5F, 0x5F], [0x61, 0x7A]];
/** Tab to carriage return, and space: the vertical tab too, unlike RE2. */
const SPACE: readonly CodeRange[] = [[0x09, 0x0D], [0x20, 0x20]];

/** Classes of Perl that an escape names, ASCII only (RE2 syntax). */
export const PERL_CLASSES: ReadonlyMap<string, readonly CodeRange[]> = new Map([
  ["d", DIGIT],
  ["w", WORD],
  ["s", SPACE],
]);

/** POSIX classes, in brackets within a class (RE2 syntax). */
export const POSIX_CLASSES: ReadonlyMap<string, readonly CodeRange[]> = new Map([
  ["alnum", [[0x30, 0x39], [0x41, 0x5A], [0x61, 0x7A]]],
  ["alpha", [[0x41, 0x5A], [0x61, 0x7A]]],
  ["ascii", [[0, 0x7F]]],
  ["blank", [[0x09, 0x09], [0x20, 0x20]]],
  ["cntrl", [[0, 0x1F], [0x7F, 0x7F]]],
  ["digit", DIGIT],
  ["graph", [[0x21, 0x7E]]],
  ["lower", [[0x61, 0x7A]]],
  ["print", [[0x20, 0x7E]]],
  ["punct", [[0x21, 0x2F], [0x3A, 0x40], [0x5B, 0x60], [0x7B, 0x7E]]],
  ["space", SPACE],
  ["upper", [[0x41, 0x5A]]],
  ["word", WORD],
  ["xdigit", [[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]]],
]);

/**
 * Puts ranges in order and joins those that touch.
 *
 * @param ranges Ranges in any order.
 */
export function normalized(ranges: readonly CodeRange[]): readonly CodeRange[] {
  const out: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = out.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else out.push([first, last]);
  }
  return out;
}

/**
 * All code points that ranges leave out.
 *
 * @param ranges Ranges in normal form.
 */
export function complement(ranges: readonly CodeRange[]): readonly CodeRange[] {
  const out: CodeRange[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) out.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= CODE_POINT_MAX) out.push([next, CODE_POINT_MAX]);
  return out;
}

/** Widest range beyond ASCII whose letters are folded one by one. */
const FOLDED_SPAN_MAX = 4096;

/**
 * Adds the other case of each letter: of ASCII, and of those beyond whose other case is one code
 * point too.
 *
 * @param ranges Ranges in normal form.
 */
export function withBothCases(ranges: readonly CodeRange[]): readonly CodeRange[] {
  const added: CodeRange[] = [];
  for (const [first, last] of ranges) {
    const end = last - first > FOLDED_SPAN_MAX ? Math.min(last, 0x7F) : last;
    for (let code = first; code <= end; code++) {
      const text = String.fromCodePoint(code);
      for (const other of [text.toLowerCase(), text.toUpperCase()]) {
        const folded = other.codePointAt(0) ?? code;
        const isOne = other.length === String.fromCodePoint(folded).length;
        // A letter of ASCII stays one: the Kelvin sign and the long s are no k and no s here.
        if (folded !== code && isOne && (folded < 0x80) === (code < 0x80)) {
          added.push([folded, folded]);
        }
      }
    }
  }
  return normalized([...ranges, ...added]);
}
