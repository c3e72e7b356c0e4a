import type { Sighting } from "../../common/sigma/correlation/mod.ts";

/** What detection keeps over a restart. */
export interface KeptState {
  /** As `Correlator.save` gives them. */
  readonly windows: Uint8Array<ArrayBuffer>;
  readonly sightings: readonly Sighting[];
}

const LENGTH_BYTES = 4;

/**
 * State as bytes: length of the windows (u32, little-endian), windows, sightings as JSON.
 *
 * @param state The state.
 */
export function encodeState({ windows, sightings }: KeptState): Uint8Array<ArrayBuffer> {
  const rest = new TextEncoder().encode(JSON.stringify(sightings));
  const bytes = new Uint8Array(LENGTH_BYTES + windows.length + rest.length);
  new DataView(bytes.buffer).setUint32(0, windows.length, true);
  bytes.set(windows, LENGTH_BYTES);
  bytes.set(rest, LENGTH_BYTES + windows.length);
  return bytes;
}

/**
 * Reads it back.
 *
 * @param bytes What {@linkcode encodeState} gave; the store answers for them.
 */
export function decodeState(bytes: Uint8Array<ArrayBuffer>): KeptState {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const end = LENGTH_BYTES + length;
  return {
    windows: bytes.slice(LENGTH_BYTES, end),
    sightings: JSON.parse(new TextDecoder().decode(bytes.subarray(end))),
  };
}
