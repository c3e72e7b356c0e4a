/** RFC 4648, section 6: no 0, 1 or 8, which people take for letters. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BITS_PER_CHARACTER = 5;
const BITS_PER_BYTE = 8;

/**
 * Bytes as people can write them down (RFC 4648, section 6, without padding).
 *
 * @param bytes The bytes.
 */
export function toBase32(bytes: Uint8Array): string {
  let [text, held, bits] = ["", 0, 0];
  for (const byte of bytes) {
    held = (held << BITS_PER_BYTE) | byte;
    for (bits += BITS_PER_BYTE; bits >= BITS_PER_CHARACTER; bits -= BITS_PER_CHARACTER) {
      text += ALPHABET[(held >> (bits - BITS_PER_CHARACTER)) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(held << (BITS_PER_CHARACTER - bits)) & 31];
}

/**
 * Reads them back.
 *
 * @param text Characters of the alphabet, capital or small.
 * @returns The bytes, or `undefined` when there is another character, or bits that no byte has set.
 */
export function fromBase32(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(Math.floor(text.length * BITS_PER_CHARACTER / BITS_PER_BYTE));
  let [at, held, bits] = [0, 0, 0];
  for (const character of text.toUpperCase()) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    held = (held << BITS_PER_CHARACTER) | value;
    bits += BITS_PER_CHARACTER;
    if (bits < BITS_PER_BYTE) continue;
    bits -= BITS_PER_BYTE;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return bits < BITS_PER_CHARACTER && held === 0 ? bytes : undefined;
}
