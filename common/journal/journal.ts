import { type Clock, SYSTEM_CLOCK, type Timer } from "../config/clock.ts";
import { replaceFile } from "../config/durable_file.ts";
import { ImmuneError } from "../config/errors.ts";
import { FileLock } from "../config/lock.ts";
import {
  BATCH_BYTES_MAX,
  type Loss,
  LOSS_ENTRY_BYTES,
  LOSSES_PER_BATCH_MAX,
} from "../wire/batch.ts";
import { batchBytes, encodeBatch } from "../wire/encode.ts";
import { type Bounds, boundsOf, checkAppend, makeFolder, unusable, unwritable } from "./_checks.ts";
import { Cursor, type StoredBatch } from "./cursor.ts";
import { Ledger, positionLoss, uncovered } from "./ledger.ts";
import {
  type Appended,
  type AppendOptions,
  CONTEXT_SHARE,
  type ContextBatch,
  type JournalOptions,
  type JournalStats,
  SEGMENT_BYTES_MIN,
  SEGMENTS_MAX,
} from "./options.ts";
import { acknowledgedPath, type Folder, recover, type Recovery } from "./recover.ts";
import { lossesIn, type Segment, segmentLast } from "./segment.ts";
import { SegmentWriter } from "./segment_writer.ts";

/**
 * A crash-safe, bounded log of batches in a folder of its own. What was appended survives the end
 * of the process at once and a power loss after `flushMs`. One process writes at a time.
 *
 * All calls are synchronous: the writer is a Worker that has nothing else to wait for. A Worker
 * that blocks elsewhere runs no timers: it calls `flushIfDue` between two waits.
 */
export class Journal implements Disposable {
  /** 32 lower-case hexadecimal digits; positions count within it. */
  readonly id: string;
  /** What opening found and did. */
  readonly recovery: Recovery;
  readonly #folder: string;
  readonly #lock: FileLock;
  readonly #bounds: Bounds;
  readonly #clock: Clock;
  readonly #context: () => Iterable<ContextBatch>;
  readonly #published: BigInt64Array<SharedArrayBuffer> | undefined;
  readonly #segments: Segment[];
  readonly #ledger = new Ledger();
  #scratch = new Uint8Array(SEGMENT_BYTES_MIN);
  #writer: SegmentWriter | undefined;
  #next: number;
  #durable: number;
  #acknowledged: number;
  #acknowledgedOnDisk: number;
  #dirtySinceMs: number | undefined;
  #timer: Timer | undefined;
  #closed = false;
  #counts = {
    evicted: 0,
    unwritable: 0,
    contextTurnedAway: 0,
    flushes: 0,
    failedFlushes: 0,
    failedRemovals: 0,
    failedSaves: 0,
  };

  private constructor(
    folder: string,
    found: Folder,
    { lock, options }: { readonly lock: FileLock; readonly options: JournalOptions },
  ) {
    this.id = found.journalId;
    this.recovery = found.recovery;
    this.#folder = folder;
    this.#lock = lock;
    this.#bounds = boundsOf(options);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#context = options.context ?? ((): readonly ContextBatch[] => []);
    this.#published = options.publishTo;
    this.#segments = found.segments;
    this.#ledger.add(found.losses);
    this.#next = found.next;
    this.#durable = found.acknowledged;
    this.#acknowledged = found.acknowledged;
    this.#acknowledgedOnDisk = found.acknowledged;
    const end = found.segments.at(-1);
    if (end !== undefined) this.#writer = new SegmentWriter(folder, end);
    this.flush();
  }

  /**
   * Opens the journal in a folder, or makes a new one. Damage in it is no error: see `recovery`.
   *
   * @param folder Its path; it is made with mode 0700, its parent exists.
   * @param options Bounds, clock and context.
   * @returns The journal, which holds the folder's lock until it is closed.
   * @throws {ImmuneError} `STATE_LOCKED` when another process has it open, `STATE_UNUSABLE` when
   * the folder cannot be used, `CONFIG_INVALID` when the bounds do not hold.
   */
  static open(folder: string, options: JournalOptions = {}): Journal {
    boundsOf(options);
    makeFolder(folder);
    const lock = FileLock.acquire(`${folder}/lock`);
    try {
      return new Journal(folder, recover(folder), { lock, options });
    } catch (cause) {
      lock[Symbol.dispose]();
      throw unusable(folder, cause);
    }
  }

  /**
   * Appends a batch in one write, and at the start of a segment its context before it.
   *
   * @param records Whole records, at most 4 MiB less header and ledger.
   * @param options How many, what is missing among them, and where they come from.
   * @returns Their positions; or why the disk did not take them, and then they are counted as
   * `journal_unwritable` in the ledger of the next batch that it takes.
   * @throws {ImmuneError} `BATCH_TOO_LARGE` or `BATCH_MALFORMED` when the records, the context or
   * the options do not hold; nothing was written then.
   */
  append(records: Uint8Array, options: AppendOptions): Appended {
    if (this.#closed) throw new TypeError("Cannot append to a journal that is closed");
    checkAppend(records, options);
    const before = this.#next;
    this.#ledger.add(options.losses ?? []);
    try {
      this.#write(records, options);
    } catch (cause) {
      this.#next = before;
      if (cause instanceof ImmuneError) throw cause;
      return { written: false, error: this.#unwritable(options.recordCount, cause) };
    }
    this.#dirtySinceMs ??= this.#clock.monotonicMs();
    this.flushIfDue();
    if (this.#dirtySinceMs !== undefined) this.#setTimer();
    return { written: true, first: this.#next - options.recordCount, last: this.#next - 1 };
  }

  /** Flushes when the oldest batch that is not on the disk has waited for `flushMs`. */
  flushIfDue(): void {
    if (this.#dirtySinceMs === undefined) return;
    if (this.#clock.monotonicMs() - this.#dirtySinceMs >= this.#bounds.flushMs) this.flush();
  }

  /**
   * Puts everything that was appended on the disk.
   *
   * @returns False when there is nothing to put there or the disk refused: after a refusal the next
   * append starts a new segment, because a second fdatasync would not tell the truth.
   */
  flush(): boolean {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dirtySinceMs = undefined;
    const writer = this.#writer;
    if (writer === undefined || writer.broken) return false;
    try {
      writer.sync();
      this.#counts.flushes++;
      this.#durable = this.#next - 1;
      if (this.#published !== undefined) {
        Atomics.store(this.#published, 0, BigInt(this.#durable));
        Atomics.notify(this.#published, 0);
      }
      return true;
    } catch {
      this.#counts.failedFlushes++;
      writer.broken = true;
      return false;
    }
  }

  /**
   * Reads batches in order.
   *
   * @param from First position that is wanted.
   * @param options `unsynced`: also give batches that a power loss could still take. Never deliver
   * those: their positions could come to stand for other records. Default false.
   * @returns A cursor, which goes on when more was appended.
   */
  cursor(from: number, options: { readonly unsynced?: boolean } = {}): Cursor {
    const readable = options.unsynced ? () => this.#next - 1 : () => this.#durable;
    return new Cursor({
      journalId: this.id,
      get readable(): number {
        return readable();
      },
      segmentAt: (position) => this.#segments.find((each) => segmentLast(each) >= position),
    }, from);
  }

  /**
   * Reads the batches that are on the disk now.
   *
   * @param from First position that is wanted.
   */
  *read(from: number): Generator<StoredBatch, void, undefined> {
    using cursor = this.cursor(from);
    for (let batch = cursor.next(); batch; batch = cursor.next()) yield batch;
  }

  /**
   * Lets whole segments go whose records are kept elsewhere.
   *
   * @param position Everything up to it is durable there. One that was passed already does nothing.
   * @throws {ImmuneError} `INPUT_MALFORMED` when the journal never gave that position out.
   */
  acknowledge(position: number): void {
    if (!Number.isSafeInteger(position) || position < 0 || position > this.#durable) {
      throw new ImmuneError(
        "INPUT_MALFORMED",
        `Cannot acknowledge position "${position}": the journal holds up to ${this.#durable}`,
      );
    }
    if (position <= this.#acknowledged) return;
    this.#acknowledged = position;
    const done = this.#segments.slice(0, -1).filter((each) => segmentLast(each) <= position);
    if (done.length === 0) return;
    try {
      this.#saveAcknowledged();
    } catch {
      // Room on the disk matters more: without the file the next run asks who has them instead.
      this.#counts.failedSaves++;
    }
    this.#segments.splice(0, done.length);
    for (const segment of done) this.#removeFile(segment);
  }

  /** Figures of the journal. */
  stats(): JournalStats {
    return {
      segments: this.#segments.length,
      bytes: this.#bytes(),
      next: this.#next,
      durable: this.#durable,
      acknowledged: this.#acknowledged,
      pendingLosses: this.#ledger.length,
      lossesTurnedAway: this.#ledger.turnedAway,
      evictedRecords: this.#counts.evicted,
      unwritableRecords: this.#counts.unwritable,
      contextTurnedAway: this.#counts.contextTurnedAway,
      failedFlushes: this.#counts.failedFlushes,
      flushes: this.#counts.flushes,
      failedRemovals: this.#counts.failedRemovals,
      failedSaves: this.#counts.failedSaves,
    };
  }

  /** Flushes, and lets the folder go. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.flush();
    this.#writer?.close();
    try {
      if (this.#acknowledged > this.#acknowledgedOnDisk) this.#saveAcknowledged();
    } finally {
      this.#lock[Symbol.dispose]();
    }
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #unwritable(recordCount: number, cause: unknown): ImmuneError {
    const span = { first: this.#next, last: this.#next + recordCount - 1 };
    this.#next += recordCount;
    this.#counts.unwritable += recordCount;
    this.#ledger.add([positionLoss("journal_unwritable", span)]);
    return unwritable(this.#folder, cause);
  }

  #write(records: Uint8Array, options: AppendOptions): void {
    const writer = this.#room(records.length);
    const context = writer.segment.bytes === 0 ? this.#contextBatches() : [];
    const parts = [...context, { records, recordCount: options.recordCount }];
    const given = this.#evict(
      parts.reduce((sum, part) => sum + batchBytes(0, part.records.length), 0),
    );
    const bytes = writer.segment.bytes;
    const spans = writer.segment.spans.slice();
    const [head = records] = parts.map((part) => part.records);
    const room = Math.floor((BATCH_BYTES_MAX - batchBytes(0, head.length)) / LOSS_ENTRY_BYTES);
    const losses = this.#ledger.peek(room);
    try {
      parts.forEach((part, i) =>
        this.#writePart(writer, part, { ...options, losses: i === 0 ? losses : [] })
      );
    } catch (error) {
      writer.rollBack(bytes, spans);
      throw error;
    } finally {
      // Last, so that the batch which accounts for them is there before they are gone.
      for (const segment of given) this.#removeFile(segment);
    }
    this.#ledger.settle(losses.length);
  }

  #writePart(
    writer: SegmentWriter,
    part: ContextBatch,
    options: AppendOptions & { readonly losses: readonly Loss[] },
  ): void {
    const { records, recordCount } = part;
    const length = batchBytes(options.losses.length, records.length);
    if (length > this.#scratch.length) {
      this.#scratch = new Uint8Array(Math.min(BATCH_BYTES_MAX, 2 ** Math.ceil(Math.log2(length))));
    }
    const info = { ...options, recordCount, first: this.#next, journalId: this.id };
    const last = this.#next + recordCount - 1;
    const bytes = encodeBatch(info, records, { into: this.#scratch });
    writer.write(bytes, { first: this.#next, last });
    this.#next = last + 1;
  }

  /** The writer of a segment that takes so many more bytes of records. */
  #room(recordBytes: number): SegmentWriter {
    const bytes = batchBytes(Math.min(this.#ledger.length, LOSSES_PER_BATCH_MAX), recordBytes);
    const writer = this.#writer;
    if (writer !== undefined && !writer.broken) {
      const { segment } = writer;
      if (segment.bytes === 0 || segment.bytes + bytes <= this.#bounds.segmentBytes) return writer;
      this.flush();
    }
    writer?.close();
    this.#writer = undefined;
    const fresh = SegmentWriter.create(this.#folder, this.#next);
    this.#segments.push(fresh.segment);
    this.#writer = fresh;
    return fresh;
  }

  #contextBatches(): ContextBatch[] {
    const kept: ContextBatch[] = [];
    let room = Math.floor(this.#bounds.segmentBytes / CONTEXT_SHARE);
    for (const batch of this.#context()) {
      const bytes = batchBytes(0, batch.records.length);
      if (bytes <= room && batch.recordCount > 0) kept.push(batch);
      else this.#counts.contextTurnedAway += batch.recordCount;
      room -= Math.min(room, bytes);
    }
    return kept;
  }

  /** Gives up the oldest segments until so many more bytes fit, and counts what goes with them. */
  #evict(bytes: number): Segment[] {
    const given: Segment[] = [];
    const after = this.#acknowledged;
    for (;;) {
      const [oldest, ...others] = this.#segments;
      if (oldest === undefined || others.length === 0) return given;
      const ledger = Math.min(this.#ledger.length, LOSSES_PER_BATCH_MAX) * LOSS_ENTRY_BYTES;
      const over = this.#bytes() + bytes + ledger > this.#bounds.totalBytes;
      if (!over && this.#segments.length <= SEGMENTS_MAX) return given;
      this.#ledger.add(lossesIn(oldest, { journalId: this.id, after }));
      for (
        const span of oldest.spans.flatMap((each) => uncovered(each, [{ first: 0, last: after }]))
      ) {
        this.#counts.evicted += span.last - span.first + 1;
        this.#ledger.add([positionLoss("journal_evicted", span)]);
      }
      this.#segments.shift();
      given.push(oldest);
    }
  }

  #removeFile(segment: Segment): void {
    try {
      Deno.removeSync(segment.path);
    } catch {
      this.#counts.failedRemovals++;
    }
  }

  #bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  #saveAcknowledged(): void {
    replaceFile(acknowledgedPath(this.#folder), `${this.#acknowledged}\n`);
    this.#acknowledgedOnDisk = this.#acknowledged;
  }

  #setTimer(): void {
    this.#timer ??= this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.flush();
    }, this.#bounds.flushMs);
  }
}
