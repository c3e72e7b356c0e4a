// How a value's byte is compared: ASCII letters in lower case, NUL (between arguments) as space.

/** A byte of which case counts; NUL is a space all the same. */
@inline export function same_byte(byte: u32): u32 {
  return byte == 0 ? 0x20 : byte;
}

@inline export function fold(byte: u32): u32 {
  if (byte - 0x41 < 26) return byte | 0x20;
  return byte == 0 ? 0x20 : byte;
}
