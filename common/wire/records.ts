import { HEADER_BYTES, HEADER_OFFSETS } from "../record/layout.ts";
import { RECORD_ALIGNMENT, RECORD_BYTES_MAX } from "../record/table.ts";
import { ImmuneError } from "../config/errors.ts";

/**
 * Counts the records of a run of records by their lengths; looks at nothing else of them.
 *
 * @param records Records, one after the other.
 * @returns How many there are.
 * @throws {ImmuneError} `BATCH_MALFORMED` when a length is no multiple of 8, shorter than a header,
 * over 24 KiB, or reaches past the end.
 */
export function countRecords(records: Uint8Array): number {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  let count = 0;
  for (let offset = 0; offset < records.length; count++) {
    const left = records.length - offset;
    const length = left < HEADER_BYTES
      ? left
      : view.getUint32(offset + HEADER_OFFSETS.length, true);
    const holds = length >= HEADER_BYTES && length <= RECORD_BYTES_MAX && length <= left &&
      length % RECORD_ALIGNMENT === 0;
    if (!holds) {
      throw new ImmuneError(
        "BATCH_MALFORMED",
        `Cannot count records: length ${length} of record ${count} at byte ${offset} of ` +
          `${records.length} does not hold`,
      );
    }
    offset += length;
  }
  return count;
}
