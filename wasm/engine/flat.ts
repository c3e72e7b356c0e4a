import { HEADER_BYTES, HEADER_OFFSETS } from "../../common/record/layout.ts";
import {
  KINDS,
  RECORD_ALIGNMENT,
  RECORD_BYTES_MAX,
  RECORD_VERSION,
  SLOT_BYTES,
} from "../../common/record/table.ts";
import { FLAGS, SOURCES } from "../../common/record/values.ts";

/** Value of a field; `undefined` = the event does not have it. */
export type FlatValue = string | Uint8Array | undefined;

/** What a flat event has beside its values. */
export interface FlatOptions {
  /**
   * Bit map of the log sources that the event belongs to (bit n: byte n / 8, value 1 << n % 8);
   * default none given: every rule is tested.
   */
  readonly logSources?: Uint8Array | undefined;
}

const UTF8 = new TextEncoder();

/**
 * Writes an event with named fields as one flat record, for `Engine.scan`.
 *
 * Values that do not fit into a record are cut, later ones first to nothing; the record is flagged
 * as truncated then.
 *
 * @param values One a field of the active image, in its order.
 * @param into Where to write; at least 24 KiB.
 * @param options Log sources.
 * @returns Bytes written.
 */
export function encodeFlat(
  values: readonly FlatValue[],
  into: Uint8Array,
  options: FlatOptions = {},
): number {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const slotCount = values.length + 1;
  let at = HEADER_BYTES + slotCount * SLOT_BYTES;
  into.fill(0, 0, at);
  let truncated = false;
  const write = (index: number, value: FlatValue): void => {
    if (value === undefined) return;
    const bytes = typeof value === "string" ? UTF8.encode(value) : value;
    const length = Math.min(bytes.length, RECORD_BYTES_MAX - at);
    truncated ||= length < bytes.length;
    into.set(bytes.subarray(0, length), at);
    const slot = HEADER_BYTES + index * SLOT_BYTES;
    view.setUint16(slot, at, true);
    view.setUint16(slot + 2, length, true);
    view.setUint32(slot + 4, bytes.length, true);
    at += length;
  };
  // First, so that a long value cannot cut it: a cut bit map would lose rules.
  write(values.length, options.logSources);
  values.forEach((value, index) => write(index, value));
  const length = Math.ceil(at / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
  into.fill(0, at, length);
  view.setUint32(HEADER_OFFSETS.length, length, true);
  view.setUint16(HEADER_OFFSETS.header_length, HEADER_BYTES, true);
  view.setUint16(HEADER_OFFSETS.kind, KINDS.flat.id, true);
  view.setUint16(HEADER_OFFSETS.source, SOURCES.replay, true);
  view.setUint16(HEADER_OFFSETS.slot_count, slotCount, true);
  view.setUint16(HEADER_OFFSETS.version, RECORD_VERSION, true);
  view.setUint32(HEADER_OFFSETS.flags, truncated ? FLAGS.truncated : 0, true);
  return length;
}
