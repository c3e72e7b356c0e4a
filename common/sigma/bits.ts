// Sets of small numbers, one bit each.

const WORD_BITS = 32;

/** A set of numbers from 0 up to the size that it was made for. */
export type Bits = Uint32Array<ArrayBuffer>;

/**
 * The empty set.
 *
 * @param size Numbers that there are.
 */
export function noBits(size: number): Bits {
  return new Uint32Array(Math.ceil(size / WORD_BITS));
}

/**
 * The set of those numbers that something holds for.
 *
 * @param size Numbers that there are.
 * @param holds Whether a number is in the set. Default: every one is.
 */
export function bitsWhere(size: number, holds: (i: number) => boolean = () => true): Bits {
  const bits = noBits(size);
  for (let i = 0; i < size; i++) if (holds(i)) addBit(bits, i);
  return bits;
}

/** Puts a number into a set. */
export function addBit(bits: Bits, i: number): void {
  bits[i >>> 5] = (bits[i >>> 5] ?? 0) | (1 << (i & (WORD_BITS - 1)));
}

/** Whether a number is in a set. */
export function hasBit(bits: Bits, i: number): boolean {
  return ((bits[i >>> 5] ?? 0) >>> (i & (WORD_BITS - 1)) & 1) !== 0;
}

/** Numbers in both sets. */
export function bitsInBoth(a: Bits, b: Bits): Bits {
  return a.map((word, i) => word & (b[i] ?? 0));
}

/** Numbers in any of both. */
export function bitsInAny(a: Bits, b: Bits): Bits {
  return a.map((word, i) => word | (b[i] ?? 0));
}

/** Numbers in the first set and not in the second. */
export function bitsWithout(a: Bits, b: Bits): Bits {
  return a.map((word, i) => word & ~(b[i] ?? 0));
}

/** Whether both sets are the same. */
export function sameBits(a: Bits, b: Bits): boolean {
  return a.every((word, i) => word === b[i]);
}

/** Whether a set has no number. */
export function isNoBits(bits: Bits): boolean {
  return bits.every((word) => word === 0);
}

/** How many numbers are in a set. */
export function countBits(bits: Bits): number {
  let count = 0;
  for (const word of bits) {
    // Sums of two, four, then eight bits side by side (Hacker's Delight, section 5-1).
    const twos = word - (word >>> 1 & 0x5555_5555);
    const fours = (twos & 0x3333_3333) + (twos >>> 2 & 0x3333_3333);
    count += Math.imul((fours + (fours >>> 4)) & 0x0F0F_0F0F, 0x0101_0101) >>> 24;
  }
  return count;
}
