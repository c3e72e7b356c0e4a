// journald's files as the agent reads them, after systemd's description of the format
// (systemd.io/JOURNAL_FILE_FORMAT): entries in their order, the fields of each.

import { zstdDecompressSync } from "node:zlib";

/** Longest value that is read, in bytes; a longer one is left out. */
export const JOURNAL_VALUE_BYTES_MAX = 64 * 1024;
/** Most fields of an entry that are looked at. */
const FIELDS_MAX = 256;
/** Values that are kept between entries, a file: most of them come again. */
const CACHED_MAX = 1024;
/** Longest of them, in characters: a longer one hardly comes again. */
const CACHED_LENGTH_MAX = 128;
/** Most arrays of entries in a file; they double in length. */
const ARRAYS_MAX = 4096;

const SIGNATURE = "LPKSHHRH";
const HEADER = { incompatible: 12, state: 16, fileId: 24, entries: 152, array: 176 } as const;
const HEADER_BYTES = 208;
const COMPACT = 16;
const STATE_ARCHIVED = 2;
const TYPES = { data: 1, entry: 3, array: 6 } as const;
const ZSTD = 4;
const OBJECT_HEADER_BYTES = 16;
/** Places in objects; `compact` files have shorter ones. */
const ENTRY = { time: 24, items: 64 } as const;
const ARRAY = { next: 16, items: 24 } as const;
/** Bytes that are read of a data object at once: most are shorter. */
const DATA_BYTES_FIRST = 512;
const DECODER = new TextDecoder();
const UNREAD = "unread";

/** An entry of a journal. */
export interface JournalEntry {
  /** Unix time in milliseconds. */
  readonly timeMs: number;
  /** Its fields that were asked for; of several of a name the last one. */
  readonly fields: ReadonlyMap<string, string>;
  /** True when it has values that are too long, or in a form that is not read: of any field. */
  readonly isPartial: boolean;
}

/** A field that is read; no field where it is not wanted; `UNREAD`: nobody knows which it is. */
type Field = readonly [name: string, value: string] | typeof UNREAD | undefined;

/** A file of a journal, open. */
export class JournalFile implements Disposable {
  /** What it is known by, also after it was renamed: 32 hexadecimal digits. */
  readonly id: string;
  readonly #file: Deno.FsFile;
  readonly #wanted: ReadonlySet<string>;
  readonly #isCompact: boolean;
  readonly #cache = new Map<number, Field>();
  #array = 0;
  /** Number of the first entry of that array. */
  #arrayStart = 0;
  #next = 0;
  #damaged = false;
  #isSetAside = false;

  private constructor(file: Deno.FsFile, wanted: ReadonlySet<string>) {
    const header = read(file, 0, HEADER_BYTES);
    if (header === undefined || DECODER.decode(new Uint8Array(header.buffer, 0, 8)) !== SIGNATURE) {
      throw new TypeError("It is no file of a journal");
    }
    this.#file = file;
    this.#wanted = wanted;
    this.#isCompact = (header.getUint32(HEADER.incompatible, true) & COMPACT) !== 0;
    this.id = new Uint8Array(header.buffer, HEADER.fileId, 16).toHex();
    this.#array = numberAt(header, HEADER.array);
  }

  /**
   * Opens a file.
   *
   * @param path Its path.
   * @param wanted Names of the fields that are read.
   * @returns `undefined` when it is none, or cannot be read.
   */
  static open(path: string, wanted: ReadonlySet<string>): JournalFile | undefined {
    let file: Deno.FsFile | undefined;
    try {
      file = Deno.openSync(path, { read: true });
      return new JournalFile(file, wanted);
    } catch {
      file?.close();
      return undefined;
    }
  }

  /** How many entries were read or passed by. */
  get position(): number {
    return this.#next;
  }

  /** True when something in it does not hold: nothing more is read then. */
  get isDamaged(): boolean {
    return this.#damaged;
  }

  /** True when nothing more will come into it. */
  get isArchived(): boolean {
    return this.#isSetAside ||
      read(this.#file, 0, HEADER_BYTES)?.getUint8(HEADER.state) === STATE_ARCHIVED;
  }

  /** Journald found it not closed: nothing more will come, though the file does not say so. */
  setAside(): void {
    this.#isSetAside = true;
  }

  /** How many entries it has. */
  get entries(): number {
    const header = read(this.#file, 0, HEADER_BYTES);
    return header === undefined ? 0 : numberAt(header, HEADER.entries);
  }

  /**
   * Passes entries by.
   *
   * @param position Number of the entry that is read next.
   */
  seek(position: number): void {
    this.#next = Math.max(this.#next, Math.min(position, this.entries));
  }

  /**
   * Reads the next entry.
   *
   * @returns `undefined` at the end, for now.
   */
  read(): JournalEntry | undefined {
    if (this.#damaged || this.#next >= this.entries) return undefined;
    const at = this.#offsetOf(this.#next);
    const entry = at === undefined ? undefined : this.#entryAt(at);
    if (entry === undefined) this.#damaged = true;
    else this.#next++;
    return entry;
  }

  /** Lets go of the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Where an entry stands, by the chain of arrays. */
  #offsetOf(number: number): number | undefined {
    const width = this.#isCompact ? 4 : 8;
    for (let arrays = 0; arrays < ARRAYS_MAX; arrays++) {
      if (this.#array === 0) {
        // The file had no entry when it was opened.
        const header = read(this.#file, 0, HEADER_BYTES);
        this.#array = header === undefined ? 0 : numberAt(header, HEADER.array);
      }
      const head = this.#object(this.#array, { type: TYPES.array, bytes: ARRAY.items });
      if (head === undefined) return undefined;
      const count = Math.floor((numberAt(head, 8) - ARRAY.items) / width);
      const index = number - this.#arrayStart;
      if (index >= 0 && index < count) {
        const item = read(this.#file, this.#array + ARRAY.items + index * width, width);
        if (item === undefined) return undefined;
        return width === 4 ? item.getUint32(0, true) : numberAt(item, 0);
      }
      this.#arrayStart += count;
      this.#array = numberAt(head, ARRAY.next);
      if (this.#array === 0) return undefined;
    }
    return undefined;
  }

  #entryAt(at: number): JournalEntry | undefined {
    const width = this.#isCompact ? 4 : 16;
    const head = this.#object(at, { type: TYPES.entry, bytes: ENTRY.items });
    if (head === undefined) return undefined;
    const count = Math.min(FIELDS_MAX, Math.floor((numberAt(head, 8) - ENTRY.items) / width));
    const items = read(this.#file, at + ENTRY.items, count * width);
    if (items === undefined) return undefined;
    const fields = new Map<string, string>();
    let isPartial = false;
    for (let i = 0; i < count; i++) {
      const offset = i * width;
      const data = this.#isCompact ? items.getUint32(offset, true) : numberAt(items, offset);
      const field = this.#dataAt(data);
      if (field === UNREAD) isPartial = true;
      else if (field !== undefined) fields.set(...field);
    }
    return { timeMs: numberAt(head, ENTRY.time) / 1000, fields, isPartial };
  }

  #dataAt(at: number): Field {
    if (this.#cache.has(at)) return this.#cache.get(at);
    const field = this.#fieldAt(at);
    if (typeof field === "object" && field[1].length > CACHED_LENGTH_MAX) return field;
    if (this.#cache.size >= CACHED_MAX) this.#cache.clear();
    this.#cache.set(at, field);
    return field;
  }

  #fieldAt(at: number): Field {
    const start = this.#isCompact ? 72 : 64;
    const head = this.#object(at, { type: TYPES.data, bytes: start });
    if (head === undefined) return undefined;
    const length = numberAt(head, 8) - start;
    if (length < 1) return undefined;
    const first = read(this.#file, at + start, Math.min(length, DATA_BYTES_FIRST));
    if (first === undefined) return undefined;
    const flags = head.getUint8(1);
    let bytes: Uint8Array = new Uint8Array(first.buffer);
    if (flags === 0 && !this.#isWanted(bytes)) return undefined;
    if (length > JOURNAL_VALUE_BYTES_MAX || (flags !== 0 && flags !== ZSTD)) return UNREAD;
    if (length > bytes.length) {
      const whole = read(this.#file, at + start, length);
      if (whole === undefined) return undefined;
      bytes = new Uint8Array(whole.buffer);
    }
    if (flags !== 0) {
      const plain = inflated(bytes);
      if (plain === undefined) return UNREAD;
      if (!this.#isWanted(plain)) return undefined;
      bytes = plain;
    }
    const equals = bytes.indexOf(61);
    return [DECODER.decode(bytes.subarray(0, equals)), DECODER.decode(bytes.subarray(equals + 1))];
  }

  #isWanted(bytes: Uint8Array): boolean {
    const equals = bytes.indexOf(61);
    return equals > 0 && this.#wanted.has(DECODER.decode(bytes.subarray(0, equals)));
  }

  /** The start of an object, of the type that is wanted and at a place where one can be. */
  #object(
    at: number,
    { type, bytes }: { readonly type: number; readonly bytes: number },
  ): DataView | undefined {
    if (at < HEADER_BYTES || at % 8 !== 0) return undefined;
    const head = read(this.#file, at, bytes);
    if (head === undefined || head.getUint8(0) !== type) return undefined;
    return numberAt(head, 8) >= OBJECT_HEADER_BYTES ? head : undefined;
  }
}

function inflated(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: JOURNAL_VALUE_BYTES_MAX });
  } catch {
    return undefined;
  }
}

/** A u64; what is over 2^53 is no place in a file, and 0. */
function numberAt(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(value);
}

/** Exactly so many bytes, in a buffer of their own. */
function read(file: Deno.FsFile, at: number, length: number): DataView | undefined {
  const bytes = new Uint8Array(length);
  try {
    file.seekSync(at, Deno.SeekMode.Start);
    for (let filled = 0; filled < length;) {
      const got = file.readSync(bytes.subarray(filled));
      if (got === null || got === 0) return undefined;
      filled += got;
    }
  } catch {
    return undefined;
  }
  return new DataView(bytes.buffer);
}
