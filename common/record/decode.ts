import { ImmuneError } from "../config/errors.ts";
import { BODY_LAYOUTS, HEADER_BYTES, HEADER_OFFSETS, type Place } from "./layout.ts";
import {
  type KindName,
  kindName,
  KINDS,
  RECORD_ALIGNMENT,
  RECORD_BYTES_MAX,
  SLOT_BYTES,
} from "./table.ts";
import { FLAGS } from "./values.ts";

/** Shortest header of any version that this one can read, in bytes. */
const HEADER_BYTES_MIN = HEADER_BYTES;

const BODY_PLACES: Readonly<Record<KindName, ReadonlyMap<string, Place>>> = Object.fromEntries(
  Object.entries(BODY_LAYOUTS).map(([kind, layout]) => [
    kind,
    new Map(layout.places.map((place) => [place.name, place])),
  ]),
) as unknown as Readonly<Record<KindName, ReadonlyMap<string, Place>>>;

const SLOT_NUMBERS: Readonly<Record<KindName, ReadonlyMap<string, number>>> = Object.fromEntries(
  Object.entries(KINDS).map(([kind, spec]) => [
    kind,
    new Map(spec.slots.map((slot, i) => [slot.name, i])),
  ]),
) as unknown as Readonly<Record<KindName, ReadonlyMap<string, number>>>;

/** Name of a body field of a kind. */
export type BodyField<K extends KindName> = (typeof KINDS)[K]["body"][number] extends never ? never
  : (typeof KINDS)[K]["body"][number]["name"];
/** Name of a slot of a kind. */
export type SlotName<K extends KindName> = (typeof KINDS)[K]["slots"][number] extends never ? never
  : (typeof KINDS)[K]["slots"][number]["name"];

/**
 * One record, read in place: nothing is copied until a value is asked for.
 *
 * Numbers of 64 bits are given as `bigint` where every bit counts (keys, times) and as numbers
 * where 2^53 is out of reach (sequence).
 */
export class RecordView {
  /** The bytes of this record alone. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** @param bytes Exactly one record, checked; use {@linkcode decodeRecord}. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Number of the kind, also of one that this version does not know. */
  get kindId(): number {
    return this.#view.getUint16(HEADER_OFFSETS.kind, true);
  }

  /** Name of the kind, `undefined` when this version does not know it. */
  get kind(): KindName | undefined {
    return kindName(this.kindId);
  }

  /** Source, see `SOURCES`. */
  get source(): number {
    return this.#view.getUint16(HEADER_OFFSETS.source, true);
  }

  /** Number in its source, from 1. */
  get sequence(): number {
    return Number(this.#view.getBigUint64(HEADER_OFFSETS.sequence, true));
  }

  /** Bits of `FLAGS`. */
  get flags(): number {
    return this.#view.getUint32(HEADER_OFFSETS.flags, true);
  }

  /** Process id. */
  get pid(): number {
    return this.#view.getUint32(HEADER_OFFSETS.pid, true);
  }

  /** Thread id. */
  get tid(): number {
    return this.#view.getUint32(HEADER_OFFSETS.tid, true);
  }

  /** Nanoseconds since boot when it happened. */
  get timeNs(): bigint {
    return this.#view.getBigUint64(HEADER_OFFSETS.time_ns, true);
  }

  /** Nanoseconds since boot when the process started; 0 = not known. */
  get startTimeNs(): bigint {
    return this.#view.getBigUint64(HEADER_OFFSETS.start_time_ns, true);
  }

  /** Process id of the parent. */
  get parentPid(): number {
    return this.#view.getUint32(HEADER_OFFSETS.parent_pid, true);
  }

  /** Nanoseconds since boot when the parent started; 0 = not known. */
  get parentStartTimeNs(): bigint {
    return this.#view.getBigUint64(HEADER_OFFSETS.parent_start_time_ns, true);
  }

  /** Effective user id. */
  get uid(): number {
    return this.#view.getUint32(HEADER_OFFSETS.uid, true);
  }

  /** Effective group id. */
  get gid(): number {
    return this.#view.getUint32(HEADER_OFFSETS.gid, true);
  }

  /** cgroup v2 id; 0 = not known. */
  get cgroupId(): bigint {
    return this.#view.getBigUint64(HEADER_OFFSETS.cgroup_id, true);
  }

  /** Session; 0 = none. */
  get session(): bigint {
    return this.#view.getBigUint64(HEADER_OFFSETS.session, true);
  }

  /** Role id; 0 = none. */
  get role(): number {
    return this.#view.getUint16(HEADER_OFFSETS.role, true);
  }

  /** Whether a flag is set. */
  has(flag: keyof typeof FLAGS): boolean {
    return (this.flags & FLAGS[flag]) !== 0;
  }

  /**
   * A number of the body.
   *
   * @param kind Kind that this record has.
   * @param field Field of up to 64 bits; exact up to 2^53.
   * @returns Its value; 0 where an older writer did not have the field.
   */
  number<K extends KindName>(kind: K, field: BodyField<K>): number {
    const place = BODY_PLACES[kind].get(field);
    if (place === undefined) throw new TypeError(`Kind "${kind}" has no field "${field}"`);
    const size = place.type === "u64" ? 8 : place.type === "u32" ? 4 : 2;
    if (place.offset + size > this.#bodyLength) return 0;
    const offset = this.#headerLength + place.offset;
    if (place.type === "u64") return Number(this.#view.getBigUint64(offset, true));
    if (place.type === "u32") return this.#view.getUint32(offset, true);
    return this.#view.getUint16(offset, true);
  }

  /**
   * A number of the body in full.
   *
   * @param kind Kind that this record has.
   * @param field Field of 64 bits.
   * @returns Its value; 0 where an older writer did not have the field.
   */
  wholeNumber<K extends KindName>(kind: K, field: BodyField<K>): bigint {
    const place = BODY_PLACES[kind].get(field);
    if (place?.type !== "u64") throw new TypeError(`Kind "${kind}" has no u64 "${field}"`);
    if (place.offset + 8 > this.#bodyLength) return 0n;
    return this.#view.getBigUint64(this.#headerLength + place.offset, true);
  }

  /**
   * An address of the body.
   *
   * @param kind Kind that this record has.
   * @param field Field of 16 bytes.
   * @returns 16 bytes in network order, IPv4 in the first 4; zeros where there is none.
   */
  address<K extends KindName>(kind: K, field: BodyField<K>): Uint8Array {
    const place = BODY_PLACES[kind].get(field);
    if (place?.type !== "bytes16") throw new TypeError(`Kind "${kind}" has no address "${field}"`);
    if (place.offset + 16 > this.#bodyLength) return new Uint8Array(16);
    const start = this.#headerLength + place.offset;
    return this.bytes.subarray(start, start + 16);
  }

  /**
   * The bytes of a slot, in place.
   *
   * @param kind Kind that this record has.
   * @param name Name of the slot.
   * @returns Its bytes, or `undefined` where the writer left it out.
   */
  slot<K extends KindName>(kind: K, name: SlotName<K>): Uint8Array | undefined {
    const number = SLOT_NUMBERS[kind].get(name);
    if (number === undefined) throw new TypeError(`Kind "${kind}" has no slot "${name}"`);
    if (number >= this.#view.getUint16(HEADER_OFFSETS.slot_count, true)) return undefined;
    const at = this.#headerLength + this.#bodyLength + number * SLOT_BYTES;
    const offset = this.#view.getUint16(at, true);
    if (offset === 0) return undefined;
    return this.bytes.subarray(offset, offset + this.#view.getUint16(at + 2, true));
  }

  get #headerLength(): number {
    return this.#view.getUint16(HEADER_OFFSETS.header_length, true);
  }

  get #bodyLength(): number {
    return this.#view.getUint16(HEADER_OFFSETS.body_length, true);
  }
}

/**
 * Checks the record at an offset and gives a view of it.
 *
 * @param bytes Records, one after the other.
 * @param offset Where it starts, in bytes.
 * @returns A view; `view.bytes.length` leads to the next one.
 * @throws {ImmuneError} `RECORD_MALFORMED` when a length or a slot does not hold.
 */
export function decodeRecord(bytes: Uint8Array, offset = 0): RecordView {
  const fault = faultAt(bytes, offset);
  if (fault !== undefined) {
    throw new ImmuneError("RECORD_MALFORMED", `Cannot read record at byte ${offset}: ${fault}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 4);
  return new RecordView(bytes.subarray(offset, offset + view.getUint32(0, true)));
}

/**
 * All records of a buffer, in order.
 *
 * @param bytes Records, one after the other.
 * @throws {ImmuneError} `RECORD_MALFORMED` at the first one that does not hold.
 */
export function* decodeRecords(bytes: Uint8Array): Generator<RecordView> {
  for (let offset = 0; offset < bytes.length;) {
    const record = decodeRecord(bytes, offset);
    yield record;
    offset += record.bytes.length;
  }
}

function faultAt(bytes: Uint8Array, offset: number): string | undefined {
  const left = bytes.length - offset;
  if (left < HEADER_BYTES_MIN) return `"${left}" bytes left, a header has ${HEADER_BYTES_MIN}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, left);
  const length = view.getUint32(HEADER_OFFSETS.length, true);
  const headerLength = view.getUint16(HEADER_OFFSETS.header_length, true);
  const bodyLength = view.getUint16(HEADER_OFFSETS.body_length, true);
  const slotCount = view.getUint16(HEADER_OFFSETS.slot_count, true);
  const fixed = headerLength + bodyLength + slotCount * SLOT_BYTES;
  if (length % RECORD_ALIGNMENT !== 0) return `length "${length}" is no multiple of 8`;
  if (length > RECORD_BYTES_MAX) return `length "${length}" is over ${RECORD_BYTES_MAX}`;
  if (length > left) return `length "${length}" is past the end`;
  if (headerLength < HEADER_BYTES_MIN) return `header length "${headerLength}" is too short`;
  if (fixed > length) return `fixed part of "${fixed}" bytes is longer than the record`;
  for (let i = 0; i < slotCount; i++) {
    const at = headerLength + bodyLength + i * SLOT_BYTES;
    const start = view.getUint16(at, true);
    const end = start + view.getUint16(at + 2, true);
    if (start !== 0 && (start < fixed || end > length)) return `slot "${i}" is out of bounds`;
  }
  return undefined;
}
