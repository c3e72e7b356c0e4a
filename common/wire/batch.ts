// The batch: one layout in the journal and on the wire. Prose and limits: specs/batch.md.

/** "IMBA" */
export const BATCH_MAGIC = 0x4142_4D49;
export const BATCH_VERSION = 1;
/** Most bytes of a batch, header included. */
export const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** Most records of a batch. */
export const RECORDS_PER_BATCH_MAX = 65_536;
/** Most entries of a batch's loss ledger. */
export const LOSSES_PER_BATCH_MAX = 1024;

/** Offsets in the batch header. Little-endian. */
export const BATCH_HEADER = {
  magic: 0, // u32
  version: 4, // u16
  header_length: 6, // u16
  length: 8, // u32 whole batch in bytes
  checksum: 12, // u32 CRC-32 (ISO-HDLC) of all that follows this field
  first: 16, // u64 journal position of the first record, from 1
  record_count: 24, // u32
  loss_count: 28, // u32 entries of the loss ledger, which follow the header
  journal_id: 32, // 16 bytes
  boot_id: 48, // 16 bytes
  host_id: 64, // 32 bytes
  epoch: 96, // u32 sensor epoch
  flags: 100, // u32 0
  wall_offset_ns: 104, // i64 Unix time in ns = boot time in ns + this
  reserved: 112, // 16 bytes, 0
} as const;
export const BATCH_HEADER_BYTES = 128;

/** Offsets in an entry of the loss ledger. */
export const LOSS_ENTRY = {
  cause: 0, // u16
  kind: 2, // u16 0 = not known
  source: 4, // u16
  certain: 6, // u16 1 = exact, 0 = at least
  count: 8, // u64
  first: 16, // u64 first missing sequence or, for journal_*, journal position; 0 = not known
  reserved: 24, // u64
} as const;
export const LOSS_ENTRY_BYTES = 32;

/** One entry of the loss ledger. Numbers are exact up to 2^53. */
export interface Loss {
  /** Number of a cause, see `LOSS_CAUSES`. */
  readonly cause: number;
  /** Kind that was lost; 0 = not known. */
  readonly kind: number;
  readonly source: number;
  /** True when `count` is exact, false when it is at least that. */
  readonly certain: boolean;
  /** Records. */
  readonly count: number;
  /** First missing sequence, or journal position for `journal_*`; 0 = not known. */
  readonly first: number;
}

/** What a batch says of itself. */
export interface BatchInfo {
  /** Journal position of the first record, from 1. */
  readonly first: number;
  /** Records in it; the last position is `first + recordCount - 1`. */
  readonly recordCount: number;
  readonly losses: readonly Loss[];
  /** 32 lower-case hexadecimal digits. */
  readonly journalId: string;
  /** 32 lower-case hexadecimal digits. */
  readonly bootId: string;
  /** 64 lower-case hexadecimal digits. */
  readonly hostId: string;
  readonly epoch: number;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: bigint;
}
