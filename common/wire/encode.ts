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

/** Ids whose bytes are kept; with more all are forgotten. A journal has three at a time. */
const KNOWN_IDS_MAX = 64;

/** Options of {@linkcode encodeBatch}. */
export interface EncodeOptions {
  /** Where the batch is written, from byte 0. Default: a new array of the right length. */
  readonly into?: Uint8Array<ArrayBuffer>;
}

/**
 * Bytes of a batch.
 *
 * @param lossCount Entries of its loss ledger.
 * @param recordBytes Bytes of its records.
 * @returns Header, ledger and records together, in bytes.
 */
export function batchBytes(lossCount: number, recordBytes: number): number {
  return BATCH_HEADER_BYTES + lossCount * LOSS_ENTRY_BYTES + recordBytes;
}

/**
 * Writes a batch: header, loss ledger, records. The records are copied once and nothing else is.
 *
 * @param info What the batch says of itself.
 * @param records Whole records, one after the other; as many as `info.recordCount`.
 * @param options Where to write it.
 * @returns The batch: a view of `options.into`, or a new array.
 * @throws {ImmuneError} `BATCH_TOO_LARGE` over a bound, `BATCH_MALFORMED` when a value does not fit
 * its field or the records are not as many as said.
 * @throws {RangeError} when `options.into` is shorter than the batch.
 */
export function encodeBatch(
  info: BatchInfo,
  records: Uint8Array,
  options: EncodeOptions = {},
): Uint8Array<ArrayBuffer> {
  const length = batchBytes(info.losses.length, records.length);
  checkBounds(info, { length });
  if (countRecords(records) !== info.recordCount) {
    refuse(`${countRecords(records)} records, not ${info.recordCount} as its header would say`);
  }
  const target = options.into ?? new Uint8Array(length);
  if (target.length < length) {
    throw new RangeError(`Cannot encode batch of ${length} bytes into ${target.length}`);
  }
  const batch = target.subarray(0, length);
  const view = new DataView(batch.buffer, batch.byteOffset, length);
  writeHeader(view, info, batch);
  let offset = BATCH_HEADER_BYTES;
  for (const loss of info.losses) {
    writeLoss(view, offset, { loss });
    offset += LOSS_ENTRY_BYTES;
  }
  batch.set(records, offset);
  const checked = batch.subarray(BATCH_HEADER.checksum + 4);
  view.setUint32(BATCH_HEADER.checksum, crc32(checked), true);
  return batch;
}

/**
 * Checks that a loss fits an entry of the ledger.
 *
 * @param loss The loss.
 * @throws {ImmuneError} `BATCH_MALFORMED` when a number does not fit its field.
 */
export function checkLoss(loss: Loss): void {
  for (const name of ["cause", "kind", "source"] as const) {
    fits(loss[name], { name: `loss ${name}`, max: 0xFFFF });
  }
  for (const name of ["count", "first"] as const) {
    fits(loss[name], { name: `loss ${name}`, max: Number.MAX_SAFE_INTEGER });
  }
}

function checkBounds(info: BatchInfo, { length }: { readonly length: number }): void {
  if (length > BATCH_BYTES_MAX) {
    tooLarge(`${length} bytes, more than ${BATCH_BYTES_MAX}`);
  }
  if (info.recordCount > RECORDS_PER_BATCH_MAX) {
    tooLarge(`${info.recordCount} records, more than ${RECORDS_PER_BATCH_MAX}`);
  }
  if (info.losses.length > LOSSES_PER_BATCH_MAX) {
    tooLarge(`${info.losses.length} losses, more than ${LOSSES_PER_BATCH_MAX}`);
  }
  if (!Number.isInteger(info.recordCount) || info.recordCount < 1) {
    refuse(`record count ${info.recordCount} is not a whole number from 1`);
  }
  const last = Number.MAX_SAFE_INTEGER - (info.recordCount - 1);
  if (!Number.isInteger(info.first) || info.first < 1 || info.first > last) {
    refuse(`first position ${info.first} is not from 1 to 2^53`);
  }
}

function writeHeader(view: DataView, info: BatchInfo, batch: Uint8Array): void {
  view.setUint32(BATCH_HEADER.magic, BATCH_MAGIC, true);
  view.setUint16(BATCH_HEADER.version, BATCH_VERSION, true);
  view.setUint16(BATCH_HEADER.header_length, BATCH_HEADER_BYTES, true);
  view.setUint32(BATCH_HEADER.length, batch.length, true);
  setU64(view, BATCH_HEADER.first, info.first);
  view.setUint32(BATCH_HEADER.record_count, info.recordCount, true);
  view.setUint32(BATCH_HEADER.loss_count, info.losses.length, true);
  batch.set(hexBytes(info.journalId, { name: "journal id", bytes: 16 }), BATCH_HEADER.journal_id);
  batch.set(hexBytes(info.bootId, { name: "boot id", bytes: 16 }), BATCH_HEADER.boot_id);
  batch.set(hexBytes(info.hostId, { name: "host id", bytes: 32 }), BATCH_HEADER.host_id);
  view.setUint32(BATCH_HEADER.epoch, fits(info.epoch, { name: "epoch", max: 0xFFFF_FFFF }), true);
  view.setUint32(BATCH_HEADER.flags, 0, true);
  if (BigInt.asIntN(64, info.wallOffsetNs) !== info.wallOffsetNs) {
    refuse(`wall offset ${info.wallOffsetNs} ns does not fit 64 bits`);
  }
  view.setBigInt64(BATCH_HEADER.wall_offset_ns, info.wallOffsetNs, true);
  batch.fill(0, BATCH_HEADER.reserved, BATCH_HEADER_BYTES);
}

function writeLoss(view: DataView, at: number, { loss }: { readonly loss: Loss }): void {
  checkLoss(loss);
  view.setUint16(at + LOSS_ENTRY.cause, loss.cause, true);
  view.setUint16(at + LOSS_ENTRY.kind, loss.kind, true);
  view.setUint16(at + LOSS_ENTRY.source, loss.source, true);
  view.setUint16(at + LOSS_ENTRY.certain, loss.certain ? 1 : 0, true);
  setU64(view, at + LOSS_ENTRY.count, loss.count);
  setU64(view, at + LOSS_ENTRY.first, loss.first);
  setU64(view, at + LOSS_ENTRY.reserved, 0);
}

/** Writes a u64 from a whole number up to 2^53 - 1, without a BigInt. */
function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 0x1_0000_0000, true);
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true);
}

/** Bytes of the ids of the batches before: those of one journal have the same. */
const KNOWN_IDS = new Map<string, Uint8Array>();

function hexBytes(
  text: string,
  { name, bytes }: { readonly name: string; readonly bytes: number },
): Uint8Array {
  const known = KNOWN_IDS.get(text);
  if (known?.length === bytes) return known;
  if (KNOWN_IDS.size >= KNOWN_IDS_MAX) KNOWN_IDS.clear();
  const parsed = parseHex(text, { name, bytes });
  KNOWN_IDS.set(text, parsed);
  return parsed;
}

function parseHex(
  text: string,
  { name, bytes }: { readonly name: string; readonly bytes: number },
): Uint8Array {
  if (text.length !== bytes * 2 || !/^[0-9a-f]+$/.test(text)) {
    refuse(`${name} "${text}" is not ${bytes * 2} lower-case hexadecimal digits`);
  }
  return Uint8Array.fromHex(text);
}

function fits(
  value: number,
  { name, max }: { readonly name: string; readonly max: number },
): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    refuse(`${name} ${value} is not a whole number from 0 to ${max}`);
  }
  return value;
}

function refuse(why: string): never {
  throw new ImmuneError("BATCH_MALFORMED", `Cannot encode batch: ${why}`);
}

function tooLarge(why: string): never {
  throw new ImmuneError("BATCH_TOO_LARGE", `Cannot encode batch: ${why}; split it`);
}
