import { KEY_ROW, KEY_ROW_BYTES } from "./literal_layout.ts";

/**
 * Writes a hash table with open addressing: a key starts at its low bits, its high ones
 * mixed in, and takes the next free slot. At most half of the slots are taken, so that every search ends.
 *
 * @param rows Keys (u32) and what they lead to; equal keys stand side by side.
 * @returns `KEY_ROW`s, a power of two of them; none for no rows.
 */
export function keyTable(
  rows: readonly (readonly [key: number, value: number])[],
): Uint8Array<ArrayBuffer> {
  if (rows.length === 0) return new Uint8Array(0);
  const count = 2 ** Math.ceil(Math.log2(rows.length * 2));
  const slots = new Uint32Array(count * 2);
  for (const [key, value] of rows) {
    let slot = (key ^ key >>> 15) & (count - 1);
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & (count - 1);
    slots[slot * 2] = key;
    slots[slot * 2 + 1] = value + 1;
  }
  const bytes = new Uint8Array(count * KEY_ROW_BYTES);
  const view = new DataView(bytes.buffer);
  for (let slot = 0; slot < count; slot++) {
    view.setUint32(slot * KEY_ROW_BYTES + KEY_ROW.key, slots[slot * 2] ?? 0, true);
    view.setUint32(slot * KEY_ROW_BYTES + KEY_ROW.group, slots[slot * 2 + 1] ?? 0, true);
  }
  return bytes;
}
