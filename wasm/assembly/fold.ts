// How a value's byte is compared: ASCII letters in lower case, NUL (between arguments) as space.

@inline export function fold(byte: u32): u32 {
  if (byte - 0x41 < 26) return byte | 0x20;
  return byte == 0 ? 0x20 : byte;
}
