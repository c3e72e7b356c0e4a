import { readIfThere } from "../config/durable_file.ts";
import { ImmuneError } from "../config/errors.ts";
import type { StoredBatch } from "./cursor.ts";
import { idPath, readAcknowledged } from "./recover.ts";
import { type Segment, segmentFirst, segmentName, SegmentReader } from "./segment.ts";

/** Options of {@linkcode JournalReader.open}. */
export interface JournalReaderOptions {
  /** Word 0 is the last position on the disk, as the journal publishes it. */
  readonly durable: BigInt64Array<SharedArrayBuffer>;
  /** First position that is wanted. Default: the one behind the acknowledged position. */
  readonly from?: number;
}

/** Where a reader stands in a segment. */
interface Place {
  readonly first: number;
  /** End of the last batch that was given. */
  offset: number;
}

/**
 * Reads a journal that another Worker writes: without its lock, from its files alone, and never
 * beyond what that Worker published as being on the disk. A segment that is let go under it is
 * skipped; which positions are missing then shows in `info.first` of the next batch.
 *
 * Bytes that were read ahead are dropped whenever the end is reached: behind the last durable batch
 * the writer may take back what it wrote.
 */
export class JournalReader implements Disposable {
  /** Id of the journal, 32 lower-case hexadecimal digits. */
  readonly journalId: string;
  readonly #folder: string;
  readonly #durable: BigInt64Array<SharedArrayBuffer>;
  #position: number;
  /** Durable position that the last `next()` knew of. */
  #seen = 0;
  #place: Place | undefined;
  #reader: SegmentReader | undefined;

  private constructor(folder: string, journalId: string, options: JournalReaderOptions) {
    this.journalId = journalId;
    this.#folder = folder;
    this.#durable = options.durable;
    this.#position = Math.max(1, options.from ?? readAcknowledged(folder) + 1);
  }

  /**
   * Opens a journal for reading. Its writer has opened it before.
   *
   * @param folder The journal's folder.
   * @param options Where the durable position stands, and where to begin.
   * @returns The reader.
   * @throws {ImmuneError} `STATE_UNUSABLE` when there is no journal.
   */
  static open(folder: string, options: JournalReaderOptions): JournalReader {
    const journalId = readIfThere(idPath(folder))?.trim() ?? "";
    if (!/^[0-9a-f]{32}$/.test(journalId)) {
      throw new ImmuneError("STATE_UNUSABLE", `Cannot read journal "${folder}": it has no id`);
    }
    return new JournalReader(folder, journalId, options);
  }

  /** The position that it will read next. */
  get position(): number {
    return this.#position;
  }

  /** Last position on the disk, as far as the writer has said. */
  get durable(): number {
    return Number(Atomics.load(this.#durable, 0));
  }

  /** First position that the journal's files may still hold; 1 when there are none. */
  get oldest(): number {
    return listFirsts(this.#folder)[0] ?? 1;
  }

  /**
   * Goes to another position, back or forth.
   *
   * @param position First position that is wanted next; a batch that holds it comes whole.
   */
  seek(position: number): void {
    this.#drop();
    this.#place = undefined;
    this.#position = Math.max(1, position);
  }

  /**
   * The next batch.
   *
   * @returns The batch in memory of its own, or `undefined` when none is on the disk yet.
   */
  next(): StoredBatch | undefined {
    const durable = this.durable;
    this.#seen = durable;
    while (this.#position <= durable) {
      const ahead = this.#reader && this.#place && this.#take(this.#place, durable);
      if (ahead !== undefined) return ahead;
      this.#drop();
      // Looked at first: when a later segment is there, this one is complete.
      const firsts = listFirsts(this.#folder);
      const place = this.#placeIn(firsts);
      if (place === undefined) return undefined;
      const later = firsts.find((first) => first > place.first);
      const batch = this.#take(place, durable);
      if (batch !== undefined) return batch;
      this.#drop();
      if (later === undefined || later > durable) return undefined;
      this.#place = { first: later, offset: 0 };
    }
    this.#drop();
    return undefined;
  }

  /**
   * Waits until more came to the disk than the last `next()` knew of.
   *
   * @param timeoutMs Longest wait, in milliseconds.
   * @param options `signal`: ends the wait early.
   * @returns True when there is more.
   */
  async more(
    timeoutMs: number,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const waiting = Atomics.waitAsync(this.#durable, 0, BigInt(this.#seen), timeoutMs);
    if (waiting.async && !options.signal?.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // A pending waitAsync alone does not keep the event loop alive.
      const stop = (): void => resolve();
      const timer = setTimeout(stop, timeoutMs);
      options.signal?.addEventListener("abort", stop);
      await Promise.race([promise, waiting.value]);
      options.signal?.removeEventListener("abort", stop);
      clearTimeout(timer);
    }
    return this.durable !== this.#seen;
  }

  /** Closes the file that it has open. */
  [Symbol.dispose](): void {
    this.#drop();
  }

  /** Where to read on; a place whose segment is gone is given up. */
  #placeIn(firsts: readonly number[]): Place | undefined {
    if (this.#place !== undefined && firsts.includes(this.#place.first)) return this.#place;
    const first = firsts.findLast((each) => each <= this.#position) ?? firsts[0];
    this.#place = first === undefined ? undefined : { first, offset: 0 };
    return this.#place;
  }

  #take(place: Place, durable: number): StoredBatch | undefined {
    const path = `${this.#folder}/${segmentName(place.first)}`;
    try {
      const limit = Deno.statSync(path).size;
      const reader = this.#reader ?? this.#openAt(place, path);
      for (;;) {
        const found = reader.next(limit);
        if (found === undefined) return undefined;
        const last = found.info.first + found.info.recordCount - 1;
        if (last > durable) return undefined;
        place.offset = reader.offset;
        if (last < this.#position) continue;
        this.#position = last + 1;
        const bytes = found.bytes.slice();
        const records = bytes.subarray(bytes.length - found.records.length);
        return { info: found.info, bytes, records };
      }
    } catch (error) {
      // Let go between the listing and now.
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  #openAt(place: Place, path: string): SegmentReader {
    const segment: Segment = { path, first: place.first, bytes: 0, spans: [] };
    this.#reader = new SegmentReader(segment, { journalId: this.journalId });
    this.#reader.offset = place.offset;
    return this.#reader;
  }

  #drop(): void {
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
  }
}

/** First positions of the segments in a folder, in order. */
function listFirsts(folder: string): number[] {
  return [...Deno.readDirSync(folder)]
    .map((entry) => segmentFirst(entry.name))
    .filter((first) => first !== undefined)
    .sort((a, b) => a - b);
}
