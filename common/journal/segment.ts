import { type Batch, type BatchHead, decodeBatch, decodeBatchHead } from "../wire/decode.ts";
import { BATCH_BYTES_MAX, BATCH_HEADER_BYTES, BATCH_MAGIC, type Loss } from "../wire/batch.ts";
import { ImmuneError } from "../config/errors.ts";

/** Bytes that are read ahead at once. */
const READ_AHEAD_BYTES = 256 * 1024;
/** Most places in one segment that are tried as the start of a batch behind a damaged one. */
export const RESYNC_CANDIDATES_MAX = 4096;

const MAGIC_BYTES = new Uint8Array(new Uint32Array([BATCH_MAGIC]).buffer);
const NAME = /^(\d{16})\.batches$/;

/** Positions without a hole, both ends included. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** A segment: a file of batches, named after its first position. */
export interface Segment {
  readonly path: string;
  /** First position that it may hold, as its name says. */
  readonly first: number;
  /** Bytes that belong to it. */
  bytes: number;
  /** Positions of its whole batches, in order. */
  readonly spans: Span[];
}

/**
 * Name of a segment's file.
 *
 * @param first First position in it.
 * @returns The name, so that names sort like positions.
 */
export function segmentName(first: number): string {
  return `${String(first).padStart(16, "0")}.batches`;
}

/**
 * The first position of a segment, from the name of its file.
 *
 * @param name Name of a file in the journal's folder.
 * @returns The position, or `undefined` when it is no segment.
 */
export function segmentFirst(name: string): number | undefined {
  const first = Number(NAME.exec(name)?.[1]);
  return Number.isSafeInteger(first) && first >= 1 ? first : undefined;
}

/**
 * Last position in a segment.
 *
 * @param segment The segment.
 * @returns Its last position, or one less than its first when it holds no whole batch.
 */
export function segmentLast(segment: Segment): number {
  return segment.spans.at(-1)?.last ?? segment.first - 1;
}

/**
 * Adds the positions of a batch to the spans of its segment.
 *
 * @param spans Spans in order; the last one grows when the batch follows it without a hole.
 * @param added Positions of the batch.
 */
export function addSpan(spans: Span[], added: Span): void {
  const end = spans.at(-1);
  if (end?.last === added.first - 1) spans[spans.length - 1] = { ...end, last: added.last };
  else spans.push(added);
}

/** A whole batch in a segment. */
export interface SegmentBatch extends Batch {
  /** Its bytes: a view that holds until the reader goes on. */
  readonly bytes: Uint8Array;
  /** Where it starts in the file. */
  readonly offset: number;
}

/**
 * Walks a segment from batch to batch and never fails on what it finds: behind a damaged batch it
 * goes on at the next whole one of the same journal.
 */
export class SegmentReader implements Disposable {
  /** End of the last whole batch, in bytes; what follows was not read, or is no whole batch. */
  offset = 0;
  /** Bytes between whole batches that belong to none. */
  damagedBytes = 0;
  readonly #file: Deno.FsFile;
  readonly #journalId: string;
  #last: number;
  #window = new Uint8Array(READ_AHEAD_BYTES);
  #windowAt = 0;
  #windowBytes = 0;
  #candidates = 0;

  /**
   * @param segment Which one.
   * @param options `journalId`: a batch of another journal is damage.
   */
  constructor(segment: Segment, options: { readonly journalId: string }) {
    this.#file = Deno.openSync(segment.path, { read: true });
    this.#journalId = options.journalId;
    this.#last = segment.first - 1;
  }

  /**
   * The next whole batch.
   *
   * @param limit Bytes of the file to look at.
   * @returns The batch, or `undefined` when no whole one follows below `limit`.
   */
  next(limit: number): SegmentBatch | undefined {
    let found = this.#wholeAt(this.offset, limit);
    if (found === undefined && this.offset + BATCH_HEADER_BYTES <= limit) {
      found = this.#resync(limit);
      if (found !== undefined) this.damagedBytes += found.offset - this.offset;
    }
    if (found === undefined) return undefined;
    this.offset = found.offset + found.bytes.length;
    this.#last = found.info.first + found.info.recordCount - 1;
    return found;
  }

  /**
   * Goes back to a batch that `next()` gave, to give it again.
   *
   * @param batch The last one that was given.
   */
  back(batch: SegmentBatch): void {
    this.offset = batch.offset;
    this.#last = batch.info.first - 1;
  }

  /**
   * What the header behind the last whole batch claims, unproven, as after a torn write.
   *
   * @param limit Bytes of the file to look at.
   * @returns Its head, or `undefined` when that is no header which could follow.
   */
  torn(limit: number): BatchHead | undefined {
    const head = headOf(this.#view(this.offset, { bytes: BATCH_HEADER_BYTES, limit }));
    return head !== undefined && head.first > this.#last ? head : undefined;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #wholeAt(offset: number, limit: number): SegmentBatch | undefined {
    const head = headOf(this.#view(offset, { bytes: BATCH_HEADER_BYTES, limit }));
    if (head === undefined || head.first <= this.#last) return undefined;
    const bytes = this.#view(offset, { bytes: head.length, limit });
    if (bytes === undefined) return undefined;
    const batch = quietly(() => decodeBatch(bytes));
    if (batch === undefined || batch.info.journalId !== this.#journalId) return undefined;
    return { ...batch, bytes, offset };
  }

  #resync(limit: number): SegmentBatch | undefined {
    let at = this.offset + 1;
    while (at + BATCH_HEADER_BYTES <= limit && this.#candidates < RESYNC_CANDIDATES_MAX) {
      const bytes = Math.min(READ_AHEAD_BYTES, limit - at);
      const view = this.#view(at, { bytes, limit });
      if (view === undefined) return undefined;
      const index = indexOfMagic(view);
      if (index < 0) {
        at += view.length - (MAGIC_BYTES.length - 1);
        continue;
      }
      this.#candidates++;
      const found = this.#wholeAt(at + index, limit);
      if (found !== undefined) return found;
      at += index + 1;
    }
    return undefined;
  }

  /** Bytes of the file, or `undefined` when they are not all there. */
  #view(
    offset: number,
    { bytes, limit }: { readonly bytes: number; readonly limit: number },
  ): Uint8Array | undefined {
    if (offset + bytes > limit) return undefined;
    if (offset < this.#windowAt || offset + bytes > this.#windowAt + this.#windowBytes) {
      this.#fill(offset, Math.max(bytes, Math.min(READ_AHEAD_BYTES, limit - offset)));
    }
    const at = offset - this.#windowAt;
    return at + bytes > this.#windowBytes ? undefined : this.#window.subarray(at, at + bytes);
  }

  #fill(offset: number, bytes: number): void {
    if (bytes > this.#window.length) this.#window = new Uint8Array(BATCH_BYTES_MAX);
    this.#windowAt = offset;
    this.#windowBytes = 0;
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    while (this.#windowBytes < bytes) {
      const read = this.#file.readSync(this.#window.subarray(this.#windowBytes, bytes));
      if (read === null) return;
      this.#windowBytes += read;
    }
  }
}

/**
 * The losses that the batches of a segment carry.
 *
 * @param segment Which one.
 * @param options `journalId`; `after`: only batches with a position over this one.
 * @returns Its losses; none when its file cannot be read any more.
 */
export function lossesIn(
  segment: Segment,
  options: { readonly journalId: string; readonly after: number },
): Loss[] {
  const losses: Loss[] = [];
  try {
    using reader = new SegmentReader(segment, options);
    for (let each = reader.next(segment.bytes); each; each = reader.next(segment.bytes)) {
      const last = each.info.first + each.info.recordCount - 1;
      if (last > options.after) losses.push(...each.info.losses);
    }
  } catch (error) {
    if (error instanceof TypeError) throw error;
  }
  return losses;
}

function headOf(bytes: Uint8Array | undefined): BatchHead | undefined {
  return bytes === undefined ? undefined : quietly(() => decodeBatchHead(bytes));
}

function quietly<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ImmuneError) return undefined;
    throw error;
  }
}

function indexOfMagic(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(MAGIC_BYTES[0] ?? 0); at >= 0;) {
    if (MAGIC_BYTES.every((byte, i) => bytes[at + i] === byte)) return at;
    at = bytes.indexOf(MAGIC_BYTES[0] ?? 0, at + 1);
  }
  return -1;
}
