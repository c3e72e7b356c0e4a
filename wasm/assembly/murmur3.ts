// MurmurHash3 (Austin Appleby, public domain; algorithm of SMHasher's MurmurHash3.cpp), the 32-bit
// and the x64 128-bit variant, over bytes in this memory.

@inline const C1_32: u32 = 0xcc9e2d51;
@inline const C2_32: u32 = 0x1b873593;
@inline const C1_64: u64 = 0x87c37b91114253d5;
@inline const C2_64: u64 = 0x4cf5ad432745937f;

/** First and second half of the last 128-bit hash. */
export let hash_low: u64 = 0;
export let hash_high: u64 = 0;

@inline function mix32(h: u32): u32 {
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

@inline function mix64(h: u64): u64 {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

/** The little-endian number in the last `length` (0 to 8) bytes. */
@inline function tail(pointer: usize, length: usize): u64 {
  let value: u64 = 0;
  for (let i: usize = length; i > 0; i--) value = (value << 8) | <u64> load<u8>(pointer + i - 1);
  return value;
}

/** MurmurHash3_x86_32 of `length` bytes at `pointer`. */
export function murmur3_x86_32(pointer: usize, length: u32, seed: u32): u32 {
  let h: u32 = seed;
  const end: usize = pointer + (length & ~3);
  let at: usize = pointer;
  for (; at < end; at += 4) {
    h ^= rotl<u32>(load<u32>(at) * C1_32, 15) * C2_32;
    h = rotl<u32>(h, 13) * 5 + 0xe6546b64;
  }
  const rest: u32 = <u32> tail(at, length & 3);
  if (rest != 0) h ^= rotl<u32>(rest * C1_32, 15) * C2_32;
  return mix32(h ^ length);
}

/** MurmurHash3_x64_128; the result is in `hash_low` and `hash_high`. */
export function hash128(pointer: usize, length: u32, seed: u32): void {
  let h1: u64 = seed;
  let h2: u64 = seed;
  const end: usize = pointer + (length & ~15);
  let at: usize = pointer;
  for (; at < end; at += 16) {
    h1 ^= rotl<u64>(load<u64>(at) * C1_64, 31) * C2_64;
    h1 = (rotl<u64>(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= rotl<u64>(load<u64>(at, 8) * C2_64, 33) * C1_64;
    h2 = (rotl<u64>(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  const rest: usize = length & 15;
  if (rest > 8) h2 ^= rotl<u64>(tail(at + 8, rest - 8) * C2_64, 33) * C1_64;
  if (rest > 0) h1 ^= rotl<u64>(tail(at, min<usize>(rest, 8)) * C1_64, 31) * C2_64;
  h1 ^= <u64> length;
  h2 ^= <u64> length;
  h1 += h2;
  h2 += h1;
  h1 = mix64(h1);
  h2 = mix64(h2);
  h1 += h2;
  hash_low = h1;
  hash_high = h2 + h1;
}

/** MurmurHash3_x64_128; writes 16 bytes at `out`. */
export function murmur3_x64_128(pointer: usize, length: u32, seed: u32, out: usize): void {
  hash128(pointer, length, seed);
  store<u64>(out, hash_low);
  store<u64>(out, hash_high, 8);
}
