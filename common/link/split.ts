import type { StoredBatch } from "../journal/mod.ts";
import { HEADER_OFFSETS } from "../record/layout.ts";
import { encodeBatch } from "../wire/mod.ts";

/**
 * Cuts a batch in the middle of its records. The losses of its ledger are in neither part.
 *
 * @param batch A batch of at least two records.
 * @returns Two batches, one right behind the other.
 */
export function halves(batch: StoredBatch): readonly [StoredBatch, StoredBatch] {
  const { info, records } = batch;
  const count = Math.floor(info.recordCount / 2);
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  let offset = 0;
  for (let i = 0; i < count; i++) offset += view.getUint32(offset + HEADER_OFFSETS.length, true);
  return [
    part(batch, { from: 0, to: offset, first: info.first, count }),
    part(batch, {
      from: offset,
      to: records.length,
      first: info.first + count,
      count: info.recordCount - count,
    }),
  ];
}

function part(
  { info, records }: StoredBatch,
  { from, to, first, count }: {
    readonly from: number;
    readonly to: number;
    readonly first: number;
    readonly count: number;
  },
): StoredBatch {
  const own = { ...info, first, recordCount: count, losses: [] };
  const kept = records.slice(from, to);
  return { info: own, bytes: encodeBatch(own, kept), records: kept };
}
