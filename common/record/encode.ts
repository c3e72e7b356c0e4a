import { ImmuneError } from "../config/errors.ts";
import { type BodyField, decodeRecord, type RecordView, type SlotName } from "./decode.ts";
import { BODY_LAYOUTS, fixedBytes, HEADER_BYTES, HEADER_LAYOUT, type Place } from "./layout.ts";
import {
  type HEADER,
  type KindName,
  KINDS,
  RECORD_ALIGNMENT,
  RECORD_BYTES_MAX,
  RECORD_VERSION,
  SLOT_BYTES,
} from "./table.ts";

/** Header fields that the writer chooses; what is left out is 0. */
export type HeaderValues = Partial<
  Record<
    Exclude<
      (typeof HEADER)[number]["name"],
      "length" | "header_length" | "body_length" | "kind" | "slot_count" | "version"
    >,
    number | bigint
  >
>;

/** What a record of a kind holds. */
export interface RecordValues<K extends KindName> {
  readonly header?: HeaderValues;
  /** Body fields; what is left out is 0. */
  readonly body?: Partial<Record<BodyField<K>, number | bigint | Uint8Array>>;
  /** Slots; what is left out is absent. */
  readonly slots?: Partial<Record<SlotName<K>, Uint8Array | string>>;
}

const UTF8 = new TextEncoder();

/**
 * Writes one record.
 *
 * @param kind Name of its kind.
 * @param values Header, body and slots.
 * @returns Its bytes, a multiple of 8.
 * @throws {ImmuneError} `RECORD_MALFORMED` when it would be over 24 KiB.
 */
export function encodeRecord<K extends KindName>(kind: K, values: RecordValues<K>): Uint8Array {
  const spec = KINDS[kind];
  const given = values.slots as Record<string, Uint8Array | string> | undefined;
  const slots = spec.slots.map((slot) => toBytes(given?.[slot.name]));
  const fixed = fixedBytes(kind);
  const used = slots.reduce((sum, slot) => sum + (slot?.length ?? 0), fixed);
  const length = Math.ceil(used / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
  if (length > RECORD_BYTES_MAX) {
    throw new ImmuneError(
      "RECORD_MALFORMED",
      `Cannot write record of kind "${kind}": "${length}" bytes are over ${RECORD_BYTES_MAX}`,
    );
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const body = BODY_LAYOUTS[kind];
  writeFields(view, 0, HEADER_LAYOUT.places, {
    ...values.header,
    length,
    header_length: HEADER_BYTES,
    body_length: body.length,
    kind: spec.id,
    slot_count: slots.length,
    version: RECORD_VERSION,
  });
  writeFields(view, HEADER_BYTES, body.places, values.body ?? {});
  let offset = fixed;
  slots.forEach((slot, i) => {
    if (slot === undefined) return;
    const at = HEADER_BYTES + body.length + i * SLOT_BYTES;
    view.setUint16(at, offset, true);
    view.setUint16(at + 2, slot.length, true);
    view.setUint32(at + 4, slot.length, true);
    bytes.set(slot, offset);
    offset += slot.length;
  });
  return bytes;
}

/**
 * Writes one record and gives a view of it.
 *
 * @param kind Name of its kind.
 * @param values Header, body and slots.
 * @returns The view.
 * @throws {ImmuneError} `RECORD_MALFORMED` when it would be over 24 KiB.
 */
export function makeRecord<K extends KindName>(kind: K, values: RecordValues<K>): RecordView {
  return decodeRecord(encodeRecord(kind, values));
}

function toBytes(value: Uint8Array | string | undefined): Uint8Array | undefined {
  return typeof value === "string" ? UTF8.encode(value) : value;
}

function writeFields(
  view: DataView,
  base: number,
  places: readonly Place[],
  values: Readonly<Record<string, number | bigint | Uint8Array | undefined>>,
): void {
  for (const place of places) {
    const value = values[place.name];
    const offset = base + place.offset;
    if (value === undefined) continue;
    if (value instanceof Uint8Array) {
      new Uint8Array(view.buffer, view.byteOffset + offset, 16).set(value.subarray(0, 16));
    } else if (place.type === "u64") view.setBigUint64(offset, BigInt(value), true);
    else if (place.type === "u32") view.setUint32(offset, Number(value), true);
    else view.setUint16(offset, Number(value), true);
  }
}
