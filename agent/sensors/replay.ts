import { ImmuneError } from "../../common/config/errors.ts";
import { decodeRecord, type RecordView } from "../../common/record/decode.ts";
import { HEADER_OFFSETS } from "../../common/record/layout.ts";
import { RECORD_ALIGNMENT, RECORD_BYTES_MAX, RECORD_VERSION } from "../../common/record/table.ts";
import { SOURCES } from "../../common/record/values.ts";
import { encodePolicy, type Policy } from "./policy.ts";
import type { Sensor, StatsRow } from "./sensor.ts";

/** Bytes read from the file at once. */
const READ_BYTES = 256 * 1024;
/** Malformed stretches that are named; more are only counted. */
export const MALFORMED_NAMED_MAX = 64;

/** Bytes of a recording that are no record. */
export interface Malformed {
  /** Where they start in the file, in bytes. */
  readonly offset: number;
  readonly bytes: number;
}

/** A file of recorded records, one after the other, as a sensor. */
export class ReplaySensor implements Sensor {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  /** Room for what is left of the last read and the next one. */
  readonly #buffer = new Uint8Array(READ_BYTES + RECORD_BYTES_MAX);
  #start = 0;
  #end = 0;
  /** Place in the file of the buffer's first byte. */
  #base = 0;
  #atEnd = false;
  #closed = false;
  #records = new Map<number, number>();
  #malformed: { offset: number; bytes: number }[] = [];
  #malformedBytes = 0;
  #malformedCount = 0;

  /** @param path Recording. @throws {ImmuneError} `FILE_UNREADABLE`. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#file = Deno.openSync(path);
    } catch (cause) {
      throw new ImmuneError("FILE_UNREADABLE", `Cannot read recording "${path}"`, { cause });
    }
  }

  /** True when every record was given out. */
  get ended(): boolean {
    return this.#closed || (this.#atEnd && this.#start === this.#end);
  }

  /** The first malformed stretches, at most {@linkcode MALFORMED_NAMED_MAX}. */
  get malformed(): readonly Malformed[] {
    return this.#malformed;
  }

  /** All bytes that were no record. */
  get malformedBytes(): number {
    return this.#malformedBytes;
  }

  /** All malformed stretches, also those that are not named. */
  get malformedCount(): number {
    return this.#malformedCount;
  }

  /**
   * Writes the next whole records to `view`; never waits.
   *
   * @param view At least `RECORD_BYTES_MAX` bytes.
   * @returns Bytes written; 0 at the end.
   * @throws {ImmuneError} `SENSOR_FAILED` when it is closed or `view` is too small,
   * `FILE_UNREADABLE` when the file cannot be read on.
   */
  poll(view: Uint8Array<ArrayBuffer>): number {
    if (this.#closed) throw new ImmuneError("SENSOR_FAILED", "Cannot replay: it is closed");
    if (view.length < RECORD_BYTES_MAX) {
      throw new ImmuneError(
        "SENSOR_FAILED",
        `Cannot replay into ${view.length} bytes: give at least ${RECORD_BYTES_MAX}`,
      );
    }
    let written = 0;
    while (true) {
      if (this.#end - this.#start < RECORD_BYTES_MAX) this.#fill();
      if (this.#start === this.#end) return written;
      const record = this.#next();
      if (record === undefined) {
        this.#skip();
        continue;
      }
      if (record.bytes.length > view.length - written) return written;
      view.set(record.bytes, written);
      written += record.bytes.length;
      this.#start += record.bytes.length;
      this.#records.set(record.kindId, (this.#records.get(record.kindId) ?? 0) + 1);
    }
  }

  /** Nothing waits here. */
  wake(): void {}

  /** Records given out, a row a kind. */
  stats(): readonly StatsRow[] {
    return [...this.#records].map(([kind, count]) => ({
      kind,
      source: SOURCES.replay,
      sequence: count,
      seen: count,
      submitted: count,
      filtered: 0,
      ringFull: 0,
      oversized: 0,
      unreadable: 0,
      folded: 0,
    }));
  }

  /** A recording holds what it holds: a policy is only checked. */
  policy(policy: Policy): number {
    encodePolicy(policy);
    return 0;
  }

  /** Closes the file. More calls do nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #fill(): void {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#base += this.#start;
    this.#end -= this.#start;
    this.#start = 0;
    while (!this.#atEnd && this.#end < RECORD_BYTES_MAX) {
      let read: number | null;
      try {
        read = this.#file.readSync(this.#buffer.subarray(this.#end, this.#end + READ_BYTES));
      } catch (cause) {
        throw new ImmuneError("FILE_UNREADABLE", `Cannot read on in "${this.#path}"`, { cause });
      }
      if (read === null) this.#atEnd = true;
      else this.#end += read;
    }
  }

  #next(): RecordView | undefined {
    const bytes = this.#buffer.subarray(this.#start, this.#end);
    if (!looksLikeRecord(bytes)) return undefined;
    try {
      return decodeRecord(bytes);
    } catch {
      return undefined;
    }
  }

  /** Goes on at the next place where a record may start. */
  #skip(): void {
    const offset = this.#base + this.#start;
    const bytes = Math.min(RECORD_ALIGNMENT, this.#end - this.#start);
    this.#start += bytes;
    this.#malformedBytes += bytes;
    const last = this.#malformed.at(-1);
    if (offset === this.#skipped) {
      if (last !== undefined && last.offset + last.bytes === offset) last.bytes += bytes;
    } else {
      this.#malformedCount++;
      if (this.#malformed.length < MALFORMED_NAMED_MAX) this.#malformed.push({ offset, bytes });
    }
    this.#skipped = offset + bytes;
  }

  /** Where the last skipped bytes end in the file. */
  #skipped = -1;
}

/** Cheap refusal before the full check: most skipped bytes are refused here. */
function looksLikeRecord(bytes: Uint8Array): boolean {
  const version = HEADER_OFFSETS.version;
  return bytes.length > version + 1 &&
    (bytes[version] ?? 0) + (bytes[version + 1] ?? 0) * 256 === RECORD_VERSION;
}
