import type { Batch } from "../wire/decode.ts";
import { type Segment, type SegmentBatch, segmentLast, SegmentReader } from "./segment.ts";

/** What a cursor reads from. */
export interface CursorSource {
  readonly journalId: string;
  /** Last position that a cursor may give. */
  readonly readable: number;
  /**
   * The segment to read a position from.
   *
   * @param position From 1.
   * @returns The first one with that position or a later one, or `undefined`.
   */
  segmentAt(position: number): Segment | undefined;
}

/** A batch of the journal, with the bytes that go over the wire. */
export interface StoredBatch extends Batch {
  /** The whole batch; `records` is a view of it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads batches in order, and can be asked again after more were appended. A segment that is let
 * go under it is skipped; what was lost stands in the ledger of a later batch.
 */
export class Cursor implements Disposable {
  readonly #source: CursorSource;
  #position: number;
  #segment: Segment | undefined;
  #reader: SegmentReader | undefined;

  /**
   * @param source A journal.
   * @param from First position that is wanted; a batch that holds it comes whole.
   */
  constructor(source: CursorSource, from: number) {
    this.#source = source;
    this.#position = Math.max(1, from);
  }

  /** The position that it will read next. */
  get position(): number {
    return this.#position;
  }

  /**
   * The next batch.
   *
   * @returns The batch in memory of its own, or `undefined` when there is none yet.
   */
  next(): StoredBatch | undefined {
    while (this.#position <= this.#source.readable) {
      const segment = this.#open();
      if (segment === undefined || this.#reader === undefined) return undefined;
      const found = this.#reader.next(segment.bytes);
      if (found === undefined) {
        this.#close();
        if (segment === this.#source.segmentAt(this.#position)) {
          this.#position = segmentLast(segment) + 1;
        }
        continue;
      }
      const last = found.info.first + found.info.recordCount - 1;
      if (last < this.#position) continue;
      if (last > this.#source.readable) {
        this.#reader.back(found);
        return undefined;
      }
      this.#position = last + 1;
      return owned(found);
    }
    return undefined;
  }

  /** Closes the file that it has open. */
  [Symbol.dispose](): void {
    this.#close();
  }

  #open(): Segment | undefined {
    if (this.#reader !== undefined) return this.#segment;
    this.#segment = this.#source.segmentAt(this.#position);
    if (this.#segment !== undefined) {
      this.#reader = new SegmentReader(this.#segment, { journalId: this.#source.journalId });
    }
    return this.#segment;
  }

  #close(): void {
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
    this.#segment = undefined;
  }
}

function owned({ info, bytes, records }: SegmentBatch): StoredBatch {
  const copy = bytes.slice();
  return { info, bytes: copy, records: copy.subarray(copy.length - records.length) };
}
