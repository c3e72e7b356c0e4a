import type { CodeRange } from "./ast.ts";

/** Bytes from the first to the last, both included. */
export type ByteRange = readonly [first: number, last: number];

/** Last code point of each length in UTF-8 (RFC 3629, 3). */
const LAST_OF_LENGTH = [0x7F, 0x7FF, 0xFFFF, 0x10FFFF] as const;
const CONTINUATION_BITS = 6;
const CONTINUATION_MASK = 0x3F;
/** Marks of the first byte, by the number of bytes. */
const LEADS = [0, 0xC0, 0xE0, 0xF0] as const;

/**
 * Splits a range of code points into sequences of byte ranges whose products are its UTF-8 forms.
 *
 * @param range Code points; surrogates have the form that WTF-8 gives them.
 * @returns Sequences of one to four ranges.
 */
export function* utf8Sequences([first, last]: CodeRange): Generator<readonly ByteRange[]> {
  let from = first;
  for (const [i, end] of LAST_OF_LENGTH.entries()) {
    if (from > last) return;
    if (from > end) continue;
    yield* sameLength(from, Math.min(last, end), i + 1);
    from = end + 1;
  }
}

function* sameLength(
  first: number,
  last: number,
  length: number,
): Generator<readonly ByteRange[]> {
  // Split where the bytes behind the ones that differ do not take all values.
  for (let behind = 1; behind < length; behind++) {
    const mask = (1 << CONTINUATION_BITS * behind) - 1;
    if ((first & ~mask) === (last & ~mask)) continue;
    if ((first & mask) !== 0) {
      yield* sameLength(first, first | mask, length);
      yield* sameLength((first | mask) + 1, last, length);
      return;
    }
    if ((last & mask) !== mask) {
      yield* sameLength(first, (last & ~mask) - 1, length);
      yield* sameLength(last & ~mask, last, length);
      return;
    }
  }
  const [low, high] = [encoded(first, length), encoded(last, length)];
  yield low.map((byte, i): ByteRange => [byte, high[i] ?? byte]);
}

function encoded(code: number, length: number): number[] {
  const bytes: number[] = [];
  let rest = code;
  for (let i = 1; i < length; i++) {
    bytes.unshift(0x80 | (rest & CONTINUATION_MASK));
    rest >>= CONTINUATION_BITS;
  }
  return [(LEADS[length - 1] ?? 0) | rest, ...bytes];
}
