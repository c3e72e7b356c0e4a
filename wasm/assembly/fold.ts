// How a value's byte is compared: ASCII letters in lower case, NUL (between arguments) as space.

import { FOLDED } from "./memory";

/** A byte of which case counts; NUL is a space all the same. */
@inline export function same_byte(byte: u32): u32 {
  return byte == 0 ? 0x20 : byte;
}

@inline export function fold(byte: u32): u32 {
  if (byte - 0x41 < 26) return byte | 0x20;
  return byte == 0 ? 0x20 : byte;
}

/** Writes a value to FOLDED, 16 bytes at a time, and 16 zeros behind it. */
export function fold_value(pointer: usize, length: u32): void {
  const first: v128 = i8x16.splat(0x41);
  const letters: v128 = i8x16.splat(26);
  const space: v128 = i8x16.splat(0x20);
  const zero: v128 = i8x16.splat(0);
  for (let i: usize = 0; i < <usize> length; i += 16) {
    const bytes: v128 = v128.load(pointer + i);
    const upper: v128 = i8x16.lt_u(i8x16.sub(bytes, first), letters);
    const changed: v128 = v128.and(v128.or(upper, i8x16.eq(bytes, zero)), space);
    v128.store(FOLDED + i, v128.or(bytes, changed));
  }
  v128.store(FOLDED + <usize> length, zero);
}

/** Whether `length` bytes at two places are the same. Up to 7 bytes behind them are read. */
export function same_bytes(a: usize, b: usize, length: u32): bool {
  const end: usize = a + <usize> (length & ~7);
  for (; a < end; a += 8, b += 8) if (load<u64>(a) != load<u64>(b)) return false;
  const rest: u64 = <u64> (length & 7);
  if (rest == 0) return true;
  return ((load<u64>(a) ^ load<u64>(b)) << (64 - (rest << 3))) == 0;
}
