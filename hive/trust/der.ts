/** One element in DER (X.690, section 8.1). */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * Writes an element.
 *
 * @param tag A tag of one byte.
 * @param parts Its content, at most 65,535 bytes together.
 * @returns Its bytes.
 */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > 0xFFFF) throw new RangeError(`Cannot write an element of ${length} bytes`);
  const head = length < 0x80
    ? [tag, length]
    : length <= 0xFF
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xFF];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Reads the elements that lie one behind the other.
 *
 * @param bytes All of them.
 * @returns The elements.
 * @throws {RangeError} when the bytes are something else, or a length has more than two bytes.
 */
export function derElements(bytes: Uint8Array): DerElement[] {
  const found: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0xFF;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7F;
    if (lengthBytes > 2) throw new RangeError(`Cannot read the length of an element at byte ${at}`);
    let length = lengthBytes === 0 ? first : 0;
    for (let i = 0; i < lengthBytes; i++) length = (length << 8) | (bytes[at + 2 + i] ?? 0);
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) {
      throw new RangeError(`Cannot read the element at byte ${at}: it ends behind the bytes`);
    }
    found.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
