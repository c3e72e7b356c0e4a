import { KEY_ROW, KEY_ROW_BYTES } from "./literal_layout.ts";

/**
 * Writes a hash table with open addressing: a key starts at its low bits, its high ones
 * mixed in, and takes the next free slot. At most half of the slots are taken, so that every search ends.
 *
 * @param keys Keys (u32); the same one may stand more than once.
 * @param values What each leads to.
 * @returns `KEY_ROW`s, a power of two of them; none for no keys.
 */
export function keyTable(keys: Uint32Array, values: Uint32Array): Uint8Array<ArrayBuffer> {
  if (keys.length === 0) return new Uint8Array(0);
  const count = 2 ** Math.ceil(Math.log2(keys.length * 2));
  const bytes = new Uint8Array(count * KEY_ROW_BYTES);
  const view = new DataView(bytes.buffer);
  keys.forEach((key, i) => {
    let slot = (key ^ key >>> 15) & (count - 1);
    while (view.getUint32(slot * KEY_ROW_BYTES + KEY_ROW.group, true) !== 0) {
      slot = (slot + 1) & (count - 1);
    }
    view.setUint32(slot * KEY_ROW_BYTES + KEY_ROW.key, key, true);
    view.setUint32(slot * KEY_ROW_BYTES + KEY_ROW.group, (values[i] ?? 0) + 1, true);
  });
  return bytes;
}
