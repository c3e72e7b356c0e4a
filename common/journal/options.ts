import type { Clock } from "../config/clock.ts";
import type { ImmuneError } from "../config/errors.ts";
import type { Loss } from "../wire/batch.ts";

/** Appended batches are on the disk after this many milliseconds at most. */
export const FLUSH_INTERVAL_MS = 200;
/** A segment ends when the next batch would make it longer than this many bytes. */
export const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Bytes of all segments together, over which the oldest ones go. */
export const TOTAL_BYTES = 256 * 1024 * 1024;
/** Smallest segment that can be asked for, in bytes. */
export const SEGMENT_BYTES_MIN = 4 * 1024;
/** Most segments of a journal. */
export const SEGMENTS_MAX = 4096;
/** Share of a segment that its context batches may fill: one in this many. */
export const CONTEXT_SHARE = 2;

/** Records that make a segment readable alone. */
export interface ContextBatch {
  readonly records: Uint8Array;
  readonly recordCount: number;
}

/** Options of `Journal.open`. */
export interface JournalOptions {
  /** Bytes of a segment, from 4 KiB. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** Bytes of all segments, at least two segments. Default 256 MiB. */
  readonly totalBytes?: number;
  /** Milliseconds between an append and its fdatasync, from 0 (at once). Default 200. */
  readonly flushMs?: number;
  /** Default: the host's clock. */
  readonly clock?: Clock;
  /** Called when a segment starts; its batches come first in it. Default: none. */
  readonly context?: () => Iterable<ContextBatch>;
  /**
   * Word 0 is set to the last position on the disk whenever it changes, and who waits for it is
   * woken: shared memory through which a {@linkcode JournalReader} in another Worker follows.
   * Default: none.
   */
  readonly publishTo?: BigInt64Array<SharedArrayBuffer>;
}

/** What an append says of its records. */
export interface AppendOptions {
  readonly recordCount: number;
  /** What is missing before or among them. Default: nothing. */
  readonly losses?: readonly Loss[];
  /** 32 lower-case hexadecimal digits. */
  readonly bootId: string;
  /** 64 lower-case hexadecimal digits. */
  readonly hostId: string;
  /** Sensor epoch. */
  readonly epoch: number;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: bigint;
}

/** What became of an append. */
export type Appended =
  | {
    readonly written: true;
    /** Position of its first record. */
    readonly first: number;
    /** Position of its last record. */
    readonly last: number;
  }
  | {
    readonly written: false;
    /** `JOURNAL_FULL`, with the disk's answer as `cause`. The records are counted as lost. */
    readonly error: ImmuneError;
  };

/** Figures of a journal. */
export interface JournalStats {
  readonly segments: number;
  readonly bytes: number;
  /** Position that the next record gets. */
  readonly next: number;
  /** Last position on the disk. */
  readonly durable: number;
  /** Last position that was acknowledged. */
  readonly acknowledged: number;
  /** Losses that wait for the next batch. */
  readonly pendingLosses: number;
  /** Losses that found no room to wait. */
  readonly lossesTurnedAway: number;
  /** Records that the bound on bytes let go. */
  readonly evictedRecords: number;
  /** Records that could not be written. */
  readonly unwritableRecords: number;
  /** Context records over their share of a segment. */
  readonly contextTurnedAway: number;
  /** fdatasync calls that failed. */
  readonly failedFlushes: number;
  /** fdatasync calls that were made. */
  readonly flushes: number;
  /** Segments let go whose file could not be removed. */
  readonly failedRemovals: number;
  /** Times that the acknowledged position could not be kept while segments were let go. */
  readonly failedSaves: number;
}
