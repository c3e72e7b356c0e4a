// Sets of bytes as common/sigma/byte_set.ts writes them: 16 bytes at a time, each looked up by its
// halves.

/** Which of 16 bytes are in a set, a bit each. `set`: its 32 bytes. */
@inline export function members_of(set: usize, bytes: v128): u32 {
  const low: v128 = i8x16.splat(<i8> 0x8f);
  const found: v128 = v128.or(
    i8x16.swizzle(v128.load(set), v128.and(bytes, low)),
    i8x16.swizzle(v128.load(set, 16), v128.and(v128.xor(bytes, i8x16.splat(<i8> 0x80)), low)),
  );
  const high: v128 = v128.and(i16x8.shr_u(bytes, 4), i8x16.splat(7));
  const bit: v128 = i8x16.swizzle(i64x2.splat(<i64> 0x8040201008040201), high);
  return <u32> i8x16.bitmask(i8x16.ne(v128.and(found, bit), i8x16.splat(0)));
}
