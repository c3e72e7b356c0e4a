import type { Random } from "../support/random.ts";

/** Longest input that is made, in bytes. */
export const INPUT_BYTES_MAX = 64 * 1024;
/** Most changes of one input. */
const CHANGES_MAX = 6;
/** Longest stretch that is cut, doubled or taken from another input, in bytes. */
const STRETCH_BYTES_MAX = 64;

/** Numbers at which lengths and counts go wrong. */
const NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF] as const;
/** Pieces at which texts go wrong. */
const PIECES = ["", "null", '"', "{", "}", "[", "]", "\\u0000", "\0", "-1", "1e309", "é", "%00"]
  .map((text) => new TextEncoder().encode(text));

type Change = (input: Uint8Array, random: Random) => Uint8Array;

/**
 * Makes an input from good ones.
 *
 * @param seeds Good inputs, at least one.
 * @param random Decides everything.
 * @returns A new array.
 */
export function mutate(seeds: readonly Uint8Array[], random: Random): Uint8Array<ArrayBuffer> {
  let input: Uint8Array = random.pick(seeds);
  for (let i = random.between(1, CHANGES_MAX); i > 0; i--) {
    const change = random.chance(10) ? splice(random.pick(seeds)) : random.pick(CHANGES);
    input = change(input, random).subarray(0, INPUT_BYTES_MAX);
  }
  return new Uint8Array(input);
}

const CHANGES: readonly Change[] = [
  function flipBit(input, random): Uint8Array {
    return withByte(input, { at: position(input, random), xor: 1 << random.below(8) });
  },
  function changeByte(input, random): Uint8Array {
    return withByte(input, { at: position(input, random), xor: random.between(1, 255) });
  },
  function putNumber(input, random): Uint8Array {
    const width = random.pick([1, 2, 4] as const);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, random.pick(NUMBERS), random.chance(50));
    const at = position(input, random);
    return joined(input.subarray(0, at), bytes.subarray(0, width), input.subarray(at + width));
  },
  function putPiece(input, random): Uint8Array {
    const at = position(input, random);
    const cut = random.below(4);
    return joined(input.subarray(0, at), random.pick(PIECES), input.subarray(at + cut));
  },
  function cut(input, random): Uint8Array {
    const at = position(input, random);
    const length = random.between(1, STRETCH_BYTES_MAX);
    return joined(input.subarray(0, at), input.subarray(at + length));
  },
  function double(input, random): Uint8Array {
    const at = position(input, random);
    const end = at + random.between(1, STRETCH_BYTES_MAX);
    return joined(input.subarray(0, end), input.subarray(at));
  },
  function end(input, random): Uint8Array {
    return input.subarray(0, position(input, random));
  },
];

function splice(other: Uint8Array): Change {
  return (input, random) => {
    const from = position(other, random);
    const at = position(input, random);
    const piece = other.subarray(from, from + random.between(1, STRETCH_BYTES_MAX));
    return joined(
      input.subarray(0, at),
      piece,
      input.subarray(at + random.below(2) * piece.length),
    );
  };
}

function position(input: Uint8Array, random: Random): number {
  return input.length === 0 ? 0 : random.below(input.length);
}

function withByte(
  input: Uint8Array,
  { at, xor }: { readonly at: number; readonly xor: number },
): Uint8Array {
  const changed = input.slice();
  if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ xor;
  return changed;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
