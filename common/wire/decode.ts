import { crc32 } from "node:zlib";
import { ImmuneError } from "../config/errors.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_HEADER,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_VERSION,
  type BatchInfo,
  type Loss,
  LOSS_ENTRY,
  LOSS_ENTRY_BYTES,
  LOSSES_PER_BATCH_MAX,
  RECORDS_PER_BATCH_MAX,
} from "./batch.ts";
import { countRecords } from "./records.ts";

/** A batch that was read. */
export interface Batch {
  readonly info: BatchInfo;
  /** Its records: a view of the bytes that were decoded. */
  readonly records: Uint8Array;
}

/** What the first bytes of a batch tell, before the rest is there. */
export interface BatchHead {
  /** Whole batch in bytes. */
  readonly length: number;
  /** Bytes of the header; the loss ledger starts there. */
  readonly headerLength: number;
  readonly lossCount: number;
  /** Journal position of the first record. */
  readonly first: number;
  readonly recordCount: number;
}

/**
 * Reads the head of a batch and checks every length and bound of it. The checksum is not checked:
 * the rest of the batch may not be there yet.
 *
 * @param bytes At least the first 128 bytes of a batch.
 * @returns Its lengths and positions.
 * @throws {ImmuneError} `BATCH_MALFORMED`, or `BATCH_TOO_LARGE` over a bound.
 */
export function decodeBatchHead(bytes: Uint8Array): BatchHead {
  if (bytes.length < BATCH_HEADER_BYTES) {
    refuse(`${bytes.length} bytes are less than a header of ${BATCH_HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(BATCH_HEADER.magic, true) !== BATCH_MAGIC) {
    refuse("no batch starts at byte 0 (wrong magic)");
  }
  const version = view.getUint16(BATCH_HEADER.version, true);
  if (version !== BATCH_VERSION) {
    refuse(`version ${version} at byte ${BATCH_HEADER.version} is not ${BATCH_VERSION}`);
  }
  const head: BatchHead = {
    length: view.getUint32(BATCH_HEADER.length, true),
    headerLength: view.getUint16(BATCH_HEADER.header_length, true),
    lossCount: view.getUint32(BATCH_HEADER.loss_count, true),
    first: getU64(view, BATCH_HEADER.first),
    recordCount: view.getUint32(BATCH_HEADER.record_count, true),
  };
  checkHead(head);
  return head;
}

/**
 * Reads a batch.
 *
 * @param bytes Exactly one batch.
 * @returns What it says of itself, and its records as a view of `bytes`.
 * @throws {ImmuneError} `BATCH_MALFORMED` when a length, checksum or value does not hold,
 * `BATCH_TOO_LARGE` over a bound.
 */
export function decodeBatch(bytes: Uint8Array): Batch {
  const head = decodeBatchHead(bytes);
  if (head.length !== bytes.length) {
    refuse(`length ${head.length} at byte ${BATCH_HEADER.length}, but ${bytes.length} bytes given`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const told = view.getUint32(BATCH_HEADER.checksum, true);
  const found = batchChecksum(bytes);
  if (told !== found) {
    refuse(`checksum ${hex32(found)} is not ${hex32(told)} as at byte ${BATCH_HEADER.checksum}`);
  }
  const recordsAt = head.headerLength + head.lossCount * LOSS_ENTRY_BYTES;
  const records = bytes.subarray(recordsAt);
  const count = countRecords(records);
  if (count !== head.recordCount) {
    refuse(`${count} records, not ${head.recordCount} as at byte ${BATCH_HEADER.record_count}`);
  }
  const losses: Loss[] = [];
  for (let at = head.headerLength; at < recordsAt; at += LOSS_ENTRY_BYTES) {
    losses.push(readLoss(view, at));
  }
  return { info: readInfo(view, { bytes, head, losses }), records };
}

/**
 * The checksum that a batch should carry.
 *
 * @param bytes Exactly one batch, at least its first 16 bytes.
 * @returns CRC-32 (ISO-HDLC) of all that follows the checksum field.
 */
export function batchChecksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(BATCH_HEADER.checksum + 4));
}

function checkHead(head: BatchHead): void {
  if (head.length > BATCH_BYTES_MAX) {
    tooLarge(`length ${head.length} at byte ${BATCH_HEADER.length}, more than ${BATCH_BYTES_MAX}`);
  }
  if (head.recordCount > RECORDS_PER_BATCH_MAX) {
    tooLarge(`${head.recordCount} records, more than ${RECORDS_PER_BATCH_MAX}`);
  }
  if (head.lossCount > LOSSES_PER_BATCH_MAX) {
    tooLarge(`${head.lossCount} losses, more than ${LOSSES_PER_BATCH_MAX}`);
  }
  if (head.headerLength < BATCH_HEADER_BYTES || head.headerLength % 8 !== 0) {
    refuse(`header length ${head.headerLength} at byte ${BATCH_HEADER.header_length}`);
  }
  if (head.headerLength + head.lossCount * LOSS_ENTRY_BYTES > head.length) {
    refuse(`${head.lossCount} losses do not fit a length of ${head.length}`);
  }
  if (head.recordCount < 1) refuse(`no records at byte ${BATCH_HEADER.record_count}`);
  const last = Number.MAX_SAFE_INTEGER - (head.recordCount - 1);
  if (!(head.first >= 1 && head.first <= last)) {
    refuse(`first position at byte ${BATCH_HEADER.first} is not from 1 to 2^53`);
  }
}

function readInfo(
  view: DataView,
  { bytes, head, losses }: {
    readonly bytes: Uint8Array;
    readonly head: BatchHead;
    readonly losses: readonly Loss[];
  },
): BatchInfo {
  const hex = (at: number, length: number): string => bytes.subarray(at, at + length).toHex();
  return {
    first: head.first,
    recordCount: head.recordCount,
    losses,
    journalId: hex(BATCH_HEADER.journal_id, 16),
    bootId: hex(BATCH_HEADER.boot_id, 16),
    hostId: hex(BATCH_HEADER.host_id, 32),
    epoch: view.getUint32(BATCH_HEADER.epoch, true),
    wallOffsetNs: view.getBigInt64(BATCH_HEADER.wall_offset_ns, true),
  };
}

function readLoss(view: DataView, at: number): Loss {
  const count = getU64(view, at + LOSS_ENTRY.count);
  const first = getU64(view, at + LOSS_ENTRY.first);
  if (Number.isNaN(count) || Number.isNaN(first)) {
    refuse(`a number of the loss entry at byte ${at} is over 2^53`);
  }
  return {
    cause: view.getUint16(at + LOSS_ENTRY.cause, true),
    kind: view.getUint16(at + LOSS_ENTRY.kind, true),
    source: view.getUint16(at + LOSS_ENTRY.source, true),
    certain: view.getUint16(at + LOSS_ENTRY.certain, true) === 1,
    count,
    first,
  };
}

/** Reads a u64 as a number; NaN when it is over 2^53 - 1. */
function getU64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
  return Number.isSafeInteger(value) ? value : NaN;
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function refuse(why: string): never {
  throw new ImmuneError("BATCH_MALFORMED", `Cannot read batch: ${why}`);
}

function tooLarge(why: string): never {
  throw new ImmuneError("BATCH_TOO_LARGE", `Cannot read batch: ${why}`);
}
