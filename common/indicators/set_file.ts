import { crc32 } from "node:zlib";
import { ImmuneError } from "../config/errors.ts";
import { type Level, SEVERITIES } from "../sigma/severity.ts";
import { derivedId, type Indicator } from "./indicator.ts";
import { INDICATORS_MAX, SET_BYTES_MAX, SOURCES_MAX } from "./limits.ts";
import { IndicatorSet, type LeftCounters } from "./set.ts";
import { INDICATOR_TYPES, type IndicatorType, isKey, keyOf, valueOfKey } from "./value.ts";

/** "IIND", little-endian. */
const MAGIC = 0x444E_4949;
const VERSION = 1;
const HEADER_BYTES = 48;
/** Offsets of the header; little-endian. Sources and entries follow. */
const HEADER = {
  magic: 0, // u32
  version: 4, // u16
  headerLength: 6, // u16
  length: 8, // u32, of the whole file
  entries: 12, // u32
  sources: 16, // u32
  crc: 20, // u32, of all but this number
  expired: 24, // f64
  withdrawn: 32, // f64
  evicted: 40, // f64
} as const;
/** Offsets of an entry. Key, id, title and labels (joined by line ends) follow. */
const ENTRY = {
  length: 0, // u16, of the whole entry
  type: 2, // u8
  severity: 3, // u8
  confidence: 4, // u8, 255 = not told
  reserved: 5, // u8
  source: 6, // u16
  firstSeen: 8, // u32, seconds
  listed: 12, // u32, seconds
  expires: 16, // u32, seconds; 0 = never
  sightings: 20, // u32
  keyLength: 24, // u16
  idLength: 26, // u8, 0 = the derived one
  titleLength: 27, // u8
} as const;
const ENTRY_BYTES = 28;
const CONFIDENCE_UNKNOWN = 255;

const TYPE_NAMES = new Map(
  Object.entries(INDICATOR_TYPES).map(([name, id]) => [id as number, name as IndicatorType]),
);
const LEVELS = Object.keys(SEVERITIES) as Level[];
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();
const NO_BYTES = new Uint8Array();
const NEVER: Pick<Indicator, "expiresMs"> = Object.freeze({});

/**
 * Writes a set as bytes: entries sorted by type and bytes of the value.
 *
 * @param set The set.
 * @returns Bytes for {@linkcode SetImage}.
 * @throws {ImmuneError} `INDICATORS_INVALID` when they are over their bound.
 */
export function encodeSet(set: IndicatorSet): Uint8Array<ArrayBuffer> {
  const names = [...set.sources.keys()].sort();
  const numbers = new Map(names.map((name, number) => [name, number]));
  const sources = names.map((name) => UTF8.encode(name));
  const writer = new Writer(HEADER_BYTES + set.size * (ENTRY_BYTES + 64));
  writer.take(HEADER_BYTES);
  for (const source of sources) {
    writer.view.setUint16(writer.take(2), source.length, true);
    writer.put(source);
  }
  for (const indicator of set.sorted()) {
    writeEntry(writer, { indicator, source: numbers.get(indicator.source) ?? 0 });
  }
  const { bytes } = writer;
  const view = new DataView(bytes.buffer);
  view.setUint32(HEADER.magic, MAGIC, true);
  view.setUint16(HEADER.version, VERSION, true);
  view.setUint16(HEADER.headerLength, HEADER_BYTES, true);
  view.setUint32(HEADER.length, bytes.length, true);
  view.setUint32(HEADER.entries, set.size, true);
  view.setUint32(HEADER.sources, sources.length, true);
  view.setFloat64(HEADER.expired, set.left.expired, true);
  view.setFloat64(HEADER.withdrawn, set.left.withdrawn, true);
  view.setFloat64(HEADER.evicted, set.left.evicted, true);
  view.setUint32(HEADER.crc, checksum(bytes), true);
  return bytes;
}

/** A set that was checked, in parts that can go to another thread. */
export interface SetParts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Offset of each entry, in their order. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly sources: readonly string[];
  readonly left: LeftCounters;
}

/** Bytes of a set, read in place: an entry becomes an object only when it is asked for. */
export class SetImage {
  readonly parts: SetParts;
  readonly #view: DataView;

  /** @param parts Of a set that was checked; {@linkcode SetImage.read} checks. */
  constructor(parts: SetParts) {
    this.parts = parts;
    this.#view = new DataView(parts.bytes.buffer, parts.bytes.byteOffset, parts.bytes.length);
  }

  /**
   * Checks bytes in full: checksum, bounds, order.
   *
   * @param bytes What {@linkcode encodeSet} gave; they are kept.
   * @returns The set.
   * @throws {ImmuneError} `INDICATORS_INVALID` with the check that failed.
   */
  static read(bytes: Uint8Array<ArrayBuffer>): SetImage {
    const view = checkedHeader(bytes);
    const { sources, end } = sourcesOf(bytes, view);
    const left = {
      expired: view.getFloat64(HEADER.expired, true),
      withdrawn: view.getFloat64(HEADER.withdrawn, true),
      evicted: view.getFloat64(HEADER.evicted, true),
    };
    const offsets = checkedOffsets(bytes, { view, first: end, sources: sources.length });
    const image = new SetImage({ bytes, offsets, sources, left });
    for (let i = 1; i < image.size; i++) {
      const { type, key } = image.keyAt(i);
      if (image.#compare(i - 1, { number: INDICATOR_TYPES[type], key }) > 0) {
        throw invalid(`entry ${i} is out of order`);
      }
    }
    return image;
  }

  /** Entries in it. */
  get size(): number {
    return this.parts.offsets.length;
  }

  /**
   * Type and key of an entry.
   *
   * @param index Which one, from 0.
   * @returns The key shares the image's bytes.
   */
  keyAt(index: number): { readonly type: IndicatorType; readonly key: Uint8Array } {
    const at = this.parts.offsets[index] ?? 0;
    const type = TYPE_NAMES.get(this.#view.getUint8(at + ENTRY.type)) ?? "name";
    return { type, key: this.#key(at) };
  }

  /**
   * When an entry is over.
   *
   * @param index Which one, from 0.
   * @returns Its expiry, as an indicator has it.
   */
  timesAt(index: number): Pick<Indicator, "expiresMs"> {
    const expires = this.#view.getUint32((this.parts.offsets[index] ?? 0) + ENTRY.expires, true);
    return expires === 0 ? NEVER : { expiresMs: expires * 1000 };
  }

  /**
   * Reads an entry.
   *
   * @param index Which one, from 0.
   * @returns The indicator.
   */
  indicatorAt(index: number): Indicator {
    const at = this.parts.offsets[index] ?? 0;
    const view = this.#view;
    const number = (offset: number): number => view.getUint32(at + offset, true);
    const { type, key } = this.keyAt(index);
    const value = valueOfKey(type, key);
    const ids = at + ENTRY_BYTES + key.length;
    const titles = ids + view.getUint8(at + ENTRY.idLength);
    const labels = titles + view.getUint8(at + ENTRY.titleLength);
    const text = (start: number, end: number): string =>
      TEXT.decode(this.parts.bytes.subarray(start, end));
    const labelText = text(labels, at + view.getUint16(at + ENTRY.length, true));
    const confidence = view.getUint8(at + ENTRY.confidence);
    const expires = number(ENTRY.expires);
    return {
      type,
      value,
      source: this.parts.sources[view.getUint16(at + ENTRY.source, true)] ?? "",
      id: text(ids, titles) || derivedId(type, value),
      title: text(titles, labels),
      severity: LEVELS[view.getUint8(at + ENTRY.severity) - 1] ?? "high",
      ...(confidence === CONFIDENCE_UNKNOWN ? {} : { confidence }),
      labels: labelText === "" ? [] : labelText.split("\n"),
      firstSeenMs: number(ENTRY.firstSeen) * 1000,
      listedMs: number(ENTRY.listed) * 1000,
      ...(expires === 0 ? {} : { expiresMs: expires * 1000 }),
      sightings: number(ENTRY.sightings),
    };
  }

  /** Entries by source. */
  sourceCounts(): ReadonlyMap<string, number> {
    const counts = new Uint32Array(this.parts.sources.length);
    for (const at of this.parts.offsets) {
      const source = this.#view.getUint16(at + ENTRY.source, true);
      counts[source] = (counts[source] ?? 0) + 1;
    }
    return new Map(this.parts.sources.map((name, i) => [name, counts[i] ?? 0]));
  }

  /**
   * The entries that have a value, by binary search: no object is made for a value that has none.
   *
   * @param type Its type.
   * @param key Its bytes, as `keyOf` gives them.
   * @returns First and one behind the last; both the same where there is none.
   */
  find(type: IndicatorType, key: Uint8Array): { readonly from: number; readonly to: number } {
    const number = INDICATOR_TYPES[type];
    let from = 0;
    for (let end = this.size; from < end;) {
      const middle = (from + end) >>> 1;
      if (this.#compare(middle, { number, key }) < 0) from = middle + 1;
      else end = middle;
    }
    let to = from;
    while (to < this.size && this.#compare(to, { number, key }) === 0) to++;
    return { from, to };
  }

  /** The set that it was made of. */
  toSet(): IndicatorSet {
    const set = new IndicatorSet({ left: this.parts.left });
    // Times do not matter: what expired meanwhile leaves when it is told to.
    set.add(this.#all(), -Infinity);
    return set;
  }

  *#all(): Generator<Indicator> {
    for (let i = 0; i < this.size; i++) yield this.indicatorAt(i);
  }

  #key(at: number): Uint8Array {
    const start = at + ENTRY_BYTES;
    return this.parts.bytes.subarray(
      start,
      start + this.#view.getUint16(at + ENTRY.keyLength, true),
    );
  }

  #compare(index: number, other: { readonly number: number; readonly key: Uint8Array }): number {
    const at = this.parts.offsets[index] ?? 0;
    const difference = this.#view.getUint8(at + ENTRY.type) - other.number;
    if (difference !== 0) return difference;
    const length = this.#view.getUint16(at + ENTRY.keyLength, true);
    const { bytes } = this.parts;
    const { key } = other;
    const start = at + ENTRY_BYTES;
    for (let i = 0; i < length && i < key.length; i++) {
      const byte = (bytes[start + i] ?? 0) - (key[i] ?? 0);
      if (byte !== 0) return byte;
    }
    return length - key.length;
  }
}

function sourcesOf(
  bytes: Uint8Array,
  view: DataView,
): { readonly sources: readonly string[]; readonly end: number } {
  const sources: string[] = [];
  let at = HEADER_BYTES;
  for (let i = view.getUint32(HEADER.sources, true); i > 0; i--) {
    const end = at + 2 > bytes.length ? Infinity : at + 2 + view.getUint16(at, true);
    if (end > bytes.length) throw invalid("its sources go over its end");
    sources.push(TEXT.decode(bytes.subarray(at + 2, end)));
    at = end;
  }
  return { sources, end: at };
}

function checkedOffsets(
  bytes: Uint8Array,
  { view, first, sources }: {
    readonly view: DataView;
    readonly first: number;
    readonly sources: number;
  },
): Uint32Array<ArrayBuffer> {
  const offsets = new Uint32Array(view.getUint32(HEADER.entries, true));
  let at = first;
  for (let i = 0; i < offsets.length; i++) {
    if (at + ENTRY_BYTES > bytes.length) throw invalid(`entry ${i} goes over its end`);
    const length = view.getUint16(at + ENTRY.length, true);
    const keyLength = view.getUint16(at + ENTRY.keyLength, true);
    const fixed = ENTRY_BYTES + keyLength + view.getUint8(at + ENTRY.idLength) +
      view.getUint8(at + ENTRY.titleLength);
    const type = TYPE_NAMES.get(view.getUint8(at + ENTRY.type));
    const severity = view.getUint8(at + ENTRY.severity);
    const isWrong = fixed > length || at + length > bytes.length || type === undefined ||
      severity < 1 || severity > LEVELS.length ||
      view.getUint16(at + ENTRY.source, true) >= sources;
    const key = at + ENTRY_BYTES;
    if (isWrong || !isKey(type, bytes.subarray(key, key + keyLength))) {
      throw invalid(`entry ${i} does not hold`);
    }
    offsets[i] = at;
    at += length;
  }
  if (at !== bytes.length) throw invalid("bytes follow its last entry");
  return offsets;
}

/** A buffer that grows. */
class Writer {
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;
  view: DataView;

  constructor(bytes: number) {
    this.#buffer = new Uint8Array(bytes);
    this.view = new DataView(this.#buffer.buffer);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  /** Makes room; where it begins. */
  take(bytes: number): number {
    const at = this.#length;
    if (at + bytes > SET_BYTES_MAX) {
      throw invalid(`it would be over ${SET_BYTES_MAX} bytes; take some out with "expire"`);
    }
    if (at + bytes > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(SET_BYTES_MAX, (at + bytes) * 2));
      larger.set(this.#buffer);
      this.#buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    this.#length += bytes;
    return at;
  }

  put(bytes: Uint8Array): void {
    const at = this.take(bytes.length);
    this.#buffer.set(bytes, at);
  }
}

function writeEntry(
  writer: Writer,
  { indicator, source }: { readonly indicator: Indicator; readonly source: number },
): void {
  const { type, value, id, title, labels, confidence, expiresMs } = indicator;
  const key = keyOf(type, value);
  const idBytes = id === derivedId(type, value) ? NO_BYTES : UTF8.encode(id);
  const titleBytes = title === "" ? NO_BYTES : UTF8.encode(title);
  const labelBytes = labels.length === 0 ? NO_BYTES : UTF8.encode(labels.join("\n"));
  const length = ENTRY_BYTES + key.length + idBytes.length + titleBytes.length +
    labelBytes.length;
  const at = writer.take(ENTRY_BYTES);
  const { view } = writer;
  view.setUint16(at + ENTRY.length, length, true);
  view.setUint8(at + ENTRY.type, INDICATOR_TYPES[type]);
  view.setUint8(at + ENTRY.severity, SEVERITIES[indicator.severity]);
  view.setUint8(at + ENTRY.confidence, confidence ?? CONFIDENCE_UNKNOWN);
  view.setUint16(at + ENTRY.source, source, true);
  view.setUint32(at + ENTRY.firstSeen, indicator.firstSeenMs / 1000, true);
  view.setUint32(at + ENTRY.listed, indicator.listedMs / 1000, true);
  view.setUint32(at + ENTRY.expires, expiresMs === undefined ? 0 : expiresMs / 1000, true);
  view.setUint32(at + ENTRY.sightings, indicator.sightings, true);
  view.setUint16(at + ENTRY.keyLength, key.length, true);
  view.setUint8(at + ENTRY.idLength, idBytes.length);
  view.setUint8(at + ENTRY.titleLength, titleBytes.length);
  for (const part of [key, idBytes, titleBytes, labelBytes]) writer.put(part);
}

function checkedHeader(bytes: Uint8Array): DataView {
  if (bytes.length < HEADER_BYTES) throw invalid(`it ends after ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(HEADER.magic, true) !== MAGIC) throw invalid("it does not start as one");
  const version = view.getUint16(HEADER.version, true);
  if (version !== VERSION || view.getUint16(HEADER.headerLength, true) !== HEADER_BYTES) {
    throw invalid(`it is of version ${version}, not ${VERSION}`);
  }
  if (view.getUint32(HEADER.length, true) !== bytes.length || bytes.length > SET_BYTES_MAX) {
    throw invalid(
      `${view.getUint32(HEADER.length, true)} bytes were written, ${bytes.length} are there`,
    );
  }
  if (view.getUint32(HEADER.crc, true) !== checksum(bytes)) {
    throw invalid("its checksum does not hold");
  }
  if (
    view.getUint32(HEADER.entries, true) > INDICATORS_MAX ||
    view.getUint32(HEADER.sources, true) > SOURCES_MAX
  ) throw invalid("it has more indicators or sources than a set may");
  return view;
}

function checksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(HEADER.crc + 4), crc32(bytes.subarray(0, HEADER.crc)));
}

function invalid(why: string): ImmuneError {
  return new ImmuneError(
    "INDICATORS_INVALID",
    `Cannot use the set of indicators: ${why}; remove the file and import anew`,
  );
}
