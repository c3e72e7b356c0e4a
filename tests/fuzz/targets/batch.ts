import { ImmuneError } from "../../../common/config/errors.ts";
import { decodeRecord } from "../../../common/record/mod.ts";
import { BATCH_HEADER, BATCH_HEADER_BYTES } from "../../../common/wire/batch.ts";
import { batchChecksum, decodeBatch } from "../../../common/wire/decode.ts";
import { LOSS_CAUSES } from "../../../common/wire/loss.ts";
import { batchOf } from "../../support/intake.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const hostId = "0c".repeat(32);
const loss = {
  cause: LOSS_CAUSES.ring_full,
  kind: 1,
  source: 0,
  certain: true,
  first: 9,
  count: 2,
};

/** `decodeBatch` and the records in it: what agents post and journals hold. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject(
      [batchOf({ hostId }), batchOf({ hostId, records: 3, losses: [loss] })],
      (input) => {
        withChecksum(input);
        try {
          const { records } = decodeBatch(input);
          if (records.length > 0) decodeRecord(records);
          return undefined;
        } catch (error) {
          return error instanceof ImmuneError ? undefined : `it threw ${String(error)}`;
        }
      },
    ),
};

/** Right length and checksum, for the rest is behind them; some inputs keep what they have. */
function withChecksum(input: Uint8Array<ArrayBuffer>): void {
  if (input.length < BATCH_HEADER_BYTES || input.at(-1) === 1) return;
  const view = new DataView(input.buffer);
  view.setUint32(BATCH_HEADER.length, input.length, true);
  view.setUint32(BATCH_HEADER.checksum, batchChecksum(input), true);
}
