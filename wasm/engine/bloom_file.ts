import { crc32 } from "node:zlib";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  BLOOM_PLACES_MAX,
  BLOOM_PLACES_MIN,
  BLOOM_ROOM_BYTES_MAX,
  BLOOM_UNIT_BYTES,
} from "./bloom_size.ts";

/** "IBLM", little-endian. */
const MAGIC = 0x4D4C_4249;
const VERSION = 1;
/** Offsets of the header; little-endian. */
const AT = {
  magic: 0, // u32
  version: 4, // u16
  headerLength: 6, // u16
  bytes: 8, // u32
  places: 12, // u16
  blocked: 14, // u16
  items: 16, // u32
  capacity: 20, // u32
  rate: 24, // f64
  reserved: 32, // u32
  crc: 36, // u32, of all before it and of the bits
} as const;
/** Bytes before the bits. */
export const BLOOM_HEADER_BYTES = 40;

/** A filter outside of an engine. */
export interface SavedBloom {
  /** Its bits, a multiple of 64 bytes. */
  readonly bits: Uint8Array;
  readonly places: number;
  readonly blocked: boolean;
  /** Keys that were added. */
  readonly items: number;
  /** Keys that it is made for. */
  readonly capacity: number;
  /** Share of false positives at that many keys. */
  readonly rate: number;
}

/**
 * Writes a filter as bytes that another engine can load.
 *
 * @param filter The filter.
 * @returns Header and bits.
 */
export function encodeBloom(filter: SavedBloom): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BLOOM_HEADER_BYTES + filter.bits.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT.magic, MAGIC, true);
  view.setUint16(AT.version, VERSION, true);
  view.setUint16(AT.headerLength, BLOOM_HEADER_BYTES, true);
  view.setUint32(AT.bytes, filter.bits.length, true);
  view.setUint16(AT.places, filter.places, true);
  view.setUint16(AT.blocked, filter.blocked ? 1 : 0, true);
  view.setUint32(AT.items, filter.items, true);
  view.setUint32(AT.capacity, filter.capacity, true);
  view.setFloat64(AT.rate, filter.rate, true);
  bytes.set(filter.bits, BLOOM_HEADER_BYTES);
  view.setUint32(AT.crc, checksum(bytes), true);
  return bytes;
}

/**
 * Reads a filter.
 *
 * @param bytes What {@linkcode encodeBloom} wrote; the result shares them.
 * @returns The filter.
 * @throws {ImmuneError} `INDICATORS_INVALID` with the check that failed.
 */
export function decodeBloom(bytes: Uint8Array): SavedBloom {
  if (bytes.length < BLOOM_HEADER_BYTES) throw invalid(`it ends after ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(AT.magic, true) !== MAGIC) throw invalid("it does not start as one");
  const version = view.getUint16(AT.version, true);
  if (version !== VERSION || view.getUint16(AT.headerLength, true) !== BLOOM_HEADER_BYTES) {
    throw invalid(`it is of version ${version}, not ${VERSION}`);
  }
  const length = view.getUint32(AT.bytes, true);
  if (bytes.length !== BLOOM_HEADER_BYTES + length) {
    throw invalid(`it has ${bytes.length - BLOOM_HEADER_BYTES} of ${length} bytes`);
  }
  if (view.getUint32(AT.crc, true) !== checksum(bytes)) throw invalid("its checksum does not hold");
  const blocked = view.getUint16(AT.blocked, true);
  const filter = {
    bits: bytes.subarray(BLOOM_HEADER_BYTES),
    places: view.getUint16(AT.places, true),
    blocked: blocked === 1,
    items: view.getUint32(AT.items, true),
    capacity: view.getUint32(AT.capacity, true),
    rate: view.getFloat64(AT.rate, true),
  };
  if (length === 0 || length > BLOOM_ROOM_BYTES_MAX || length % BLOOM_UNIT_BYTES !== 0) {
    throw invalid(`${length} bytes are no size of a filter`);
  }
  if (filter.places < BLOOM_PLACES_MIN || filter.places > BLOOM_PLACES_MAX || blocked > 1) {
    throw invalid(`${filter.places} places in variant ${blocked} are no shape of a filter`);
  }
  if (!(filter.rate > 0 && filter.rate < 1) || filter.capacity === 0) {
    throw invalid("its rate or capacity is out of range");
  }
  return filter;
}

function checksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(BLOOM_HEADER_BYTES), crc32(bytes.subarray(0, AT.crc)));
}

function invalid(why: string): ImmuneError {
  return new ImmuneError(
    "INDICATORS_INVALID",
    `Cannot load the Bloom filter: ${why}; make it anew`,
  );
}
