/** Bytes of a set of bytes. */
export const BYTE_SET_BYTES = 32;

/**
 * Writes a set of bytes so that 16 bytes at a time can be looked up by their halves: bit h of number
 * l of the first 16 for byte h << 4 | l below 0x80, of the second 16 for one from there on.
 *
 * @param bytes Members.
 * @returns The set.
 */
export function byteSet(bytes: Iterable<number>): Uint8Array {
  const set = new Uint8Array(BYTE_SET_BYTES);
  for (const byte of bytes) {
    const at = byte >> 7 << 4 | byte & 15;
    set[at] = (set[at] ?? 0) | 1 << (byte >> 4 & 7);
  }
  return set;
}
