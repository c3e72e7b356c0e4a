import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { HEADER_BYTES } from "../record/layout.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_HEADER,
  BATCH_HEADER_BYTES,
  batchBytes,
  batchChecksum,
  type BatchInfo,
  countRecords,
  decodeBatch,
  decodeBatchHead,
  encodeBatch,
  type Loss,
  LOSSES_PER_BATCH_MAX,
  RECORDS_PER_BATCH_MAX,
} from "./mod.ts";

const SEED = 7;
const position = fc.integer({ min: 1, max: 2 ** 53 - 1 - RECORDS_PER_BATCH_MAX });
const u16 = fc.integer({ min: 0, max: 0xFFFF });
const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => id.toHex());
const loss: fc.Arbitrary<Loss> = fc.record({
  cause: u16,
  kind: u16,
  source: u16,
  certain: fc.boolean(),
  count: fc.maxSafeNat(),
  first: fc.maxSafeNat(),
}, { noNullPrototype: true });
const records = fc.array(
  fc.integer({ min: HEADER_BYTES / 8, max: HEADER_BYTES / 8 + 20 }).chain((words) =>
    fc.uint8Array({ minLength: words * 8, maxLength: words * 8 })
  ),
  { minLength: 1, maxLength: 12 },
).map(withLengths);
const batch = fc.tuple(
  fc.record({
    first: position,
    losses: fc.array(loss, { maxLength: 9 }),
    journalId: hex(16),
    bootId: hex(16),
    hostId: hex(32),
    epoch: fc.integer({ min: 0, max: 0xFFFF_FFFF }),
    wallOffsetNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }, { noNullPrototype: true }),
  records,
).map(([info, { bytes, count }]) => ({ info: { ...info, recordCount: count }, bytes }));

function withLengths(parts: readonly Uint8Array[]): { bytes: Uint8Array; count: number } {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    new DataView(bytes.buffer).setUint32(offset, part.length, true);
    offset += part.length;
  }
  return { bytes, count: parts.length };
}

const RECORD = withLengths([new Uint8Array(HEADER_BYTES)]).bytes;
const INFO: BatchInfo = {
  first: 1,
  recordCount: 1,
  losses: [],
  journalId: "01".repeat(16),
  bootId: "02".repeat(16),
  hostId: "03".repeat(32),
  epoch: 4,
  wallOffsetNs: -5n,
};
const LOSS: Loss = { cause: 7, kind: 0, source: 0, certain: true, count: 3, first: 1 };

function refusal(action: () => unknown): string {
  return assertThrows(action, ImmuneError).code;
}

/** Sets bytes of a batch and gives it the checksum that belongs to them. */
function forged(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  change(view);
  view.setUint32(BATCH_HEADER.checksum, batchChecksum(copy), true);
  return copy;
}

Deno.test("decodeBatch() gives back what encodeBatch() was given, any batch", () => {
  fc.assert(
    fc.property(batch, ({ info, bytes }) => {
      const encoded = encodeBatch(info, bytes);
      assertEquals(encoded.length, batchBytes(info.losses.length, bytes.length));
      const decoded = decodeBatch(encoded);
      assertEquals(decoded.info, info);
      assertEquals(decoded.records, bytes);
      assertEquals(decoded.records.buffer, encoded.buffer);
    }),
    { seed: SEED },
  );
});

Deno.test("decodeBatch() refuses a batch with any one byte changed", () => {
  fc.assert(
    fc.property(batch, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ info, bytes }, at, bits) => {
      const encoded = encodeBatch(info, bytes);
      const index = at % encoded.length;
      encoded[index] = (encoded[index] ?? 0) ^ bits;
      const code = refusal(() => decodeBatch(encoded));
      assertEquals(code === "BATCH_MALFORMED" || code === "BATCH_TOO_LARGE", true);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("decodeBatch() refuses every prefix of a batch and a batch with more behind it", () => {
  const encoded = encodeBatch({ ...INFO, losses: [LOSS] }, RECORD);
  for (let length = 0; length < encoded.length; length++) {
    assertEquals(refusal(() => decodeBatch(encoded.subarray(0, length))), "BATCH_MALFORMED");
  }
  const longer = new Uint8Array(encoded.length + 8);
  longer.set(encoded);
  assertEquals(refusal(() => decodeBatch(longer)), "BATCH_MALFORMED");
});

Deno.test("decodeBatch() only ever throws ImmuneError, bytes with a true checksum", () => {
  const start = encodeBatch({ ...INFO, losses: [LOSS, LOSS] }, RECORD);
  const edit = fc.tuple(fc.integer({ min: 4, max: start.length - 1 }), fc.nat(255));
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
      const bytes = forged(start, (view) => {
        for (const [at, value] of edits) view.setUint8(at, value);
      });
      try {
        decodeBatch(bytes);
      } catch (error) {
        if (!(error instanceof ImmuneError)) throw error;
      }
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

Deno.test("decodeBatch() only ever throws ImmuneError, noise", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assertThrows(() => decodeBatch(bytes), ImmuneError);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

Deno.test("decodeBatch() skips a header that is longer than it knows", () => {
  const encoded = encodeBatch({ ...INFO, losses: [LOSS] }, RECORD);
  const longer = new Uint8Array(encoded.length + 16);
  longer.set(encoded.subarray(0, BATCH_HEADER_BYTES));
  longer.set(encoded.subarray(BATCH_HEADER_BYTES), BATCH_HEADER_BYTES + 16);
  const bytes = forged(longer, (view) => {
    view.setUint16(BATCH_HEADER.header_length, BATCH_HEADER_BYTES + 16, true);
    view.setUint32(BATCH_HEADER.length, longer.length, true);
  });
  assertEquals(decodeBatch(bytes).info.losses, [LOSS]);
  assertEquals(decodeBatch(bytes).records, RECORD);
});

Deno.test("decodeBatch() names the code, each value that does not hold", () => {
  const encoded = encodeBatch({ ...INFO, losses: [LOSS] }, RECORD);
  const cases: readonly [string, (view: DataView) => void][] = [
    ["BATCH_MALFORMED", (view) => view.setUint32(BATCH_HEADER.magic, 1, true)],
    ["BATCH_MALFORMED", (view) => view.setUint16(BATCH_HEADER.version, 2, true)],
    ["BATCH_MALFORMED", (view) => view.setUint16(BATCH_HEADER.header_length, 120, true)],
    ["BATCH_MALFORMED", (view) => view.setUint16(BATCH_HEADER.header_length, 132, true)],
    ["BATCH_MALFORMED", (view) => view.setUint16(BATCH_HEADER.header_length, 65528, true)],
    ["BATCH_MALFORMED", (view) => view.setBigUint64(BATCH_HEADER.first, 0n, true)],
    ["BATCH_MALFORMED", (view) => view.setBigUint64(BATCH_HEADER.first, 2n ** 53n, true)],
    ["BATCH_MALFORMED", (view) => view.setUint32(BATCH_HEADER.record_count, 0, true)],
    ["BATCH_MALFORMED", (view) => view.setUint32(BATCH_HEADER.record_count, 2, true)],
    ["BATCH_MALFORMED", (view) => view.setUint32(BATCH_HEADER.loss_count, 2, true)],
    ["BATCH_MALFORMED", (view) => view.setBigUint64(BATCH_HEADER_BYTES + 8, 2n ** 60n, true)],
    ["BATCH_TOO_LARGE", (view) => view.setUint32(BATCH_HEADER.length, 2 ** 23, true)],
    ["BATCH_TOO_LARGE", (view) => view.setUint32(BATCH_HEADER.record_count, 65_537, true)],
    ["BATCH_TOO_LARGE", (view) => view.setUint32(BATCH_HEADER.loss_count, 1025, true)],
  ];
  decodeBatch(forged(encoded, () => {}));
  cases.forEach(([code, change], i) => {
    assertEquals(refusal(() => decodeBatch(forged(encoded, change))), code, `case ${i}`);
  });
});

Deno.test("decodeBatchHead() tells the lengths from the header alone", () => {
  const encoded = encodeBatch({ ...INFO, first: 2 ** 40, losses: [LOSS] }, RECORD);
  assertEquals(decodeBatchHead(encoded.subarray(0, BATCH_HEADER_BYTES)), {
    length: encoded.length,
    headerLength: BATCH_HEADER_BYTES,
    lossCount: 1,
    first: 2 ** 40,
    recordCount: 1,
  });
});

Deno.test("encodeBatch() refuses values that do not fit", () => {
  const cases: readonly [string, Partial<BatchInfo>][] = [
    ["BATCH_MALFORMED", { first: 0 }],
    ["BATCH_MALFORMED", { first: 2 ** 53 }],
    ["BATCH_MALFORMED", { first: 1.5 }],
    ["BATCH_MALFORMED", { first: NaN }],
    ["BATCH_MALFORMED", { recordCount: 0 }],
    ["BATCH_MALFORMED", { recordCount: 2 }],
    ["BATCH_TOO_LARGE", { recordCount: RECORDS_PER_BATCH_MAX + 1 }],
    ["BATCH_TOO_LARGE", { losses: Array(LOSSES_PER_BATCH_MAX + 1).fill(LOSS) }],
    ["BATCH_MALFORMED", { losses: [{ ...LOSS, count: -1 }] }],
    ["BATCH_MALFORMED", { losses: [{ ...LOSS, cause: 0x10000 }] }],
    ["BATCH_MALFORMED", { journalId: "01" }],
    ["BATCH_MALFORMED", { bootId: "0G".repeat(16) }],
    ["BATCH_MALFORMED", { hostId: "AB".repeat(32) }],
    ["BATCH_MALFORMED", { epoch: 2 ** 32 }],
    ["BATCH_MALFORMED", { wallOffsetNs: 2n ** 63n }],
  ];
  cases.forEach(([code, change], i) => {
    assertEquals(refusal(() => encodeBatch({ ...INFO, ...change }, RECORD)), code, `case ${i}`);
  });
  const huge = new Uint8Array(BATCH_BYTES_MAX);
  assertEquals(refusal(() => encodeBatch(INFO, huge)), "BATCH_TOO_LARGE");
});

Deno.test("encodeBatch() writes into the memory given, over what was there", () => {
  const into = new Uint8Array(1000).fill(0xAA);
  const encoded = encodeBatch(INFO, RECORD, { into });
  assertEquals(encoded.buffer, into.buffer);
  assertEquals(encoded, encodeBatch(INFO, RECORD));
  assertThrows(() => encodeBatch(INFO, RECORD, { into: into.subarray(0, 100) }), RangeError);
});

Deno.test("countRecords() refuses lengths that do not hold", () => {
  assertEquals(countRecords(new Uint8Array(0)), 0);
  for (const length of [0, 1, HEADER_BYTES + 4, HEADER_BYTES + 8, 2 ** 31]) {
    const bytes = RECORD.slice();
    new DataView(bytes.buffer).setUint32(0, length, true);
    assertEquals(refusal(() => countRecords(bytes)), "BATCH_MALFORMED", `length ${length}`);
  }
  assertEquals(refusal(() => countRecords(RECORD.subarray(0, 2))), "BATCH_MALFORMED");
});

Deno.test("encodeBatch() writes the golden vector", () => {
  const encoded = encodeBatch(
    { ...INFO, first: 0x1_0000_0002, losses: [LOSS], wallOffsetNs: 1n },
    RECORD,
  );
  assertEquals(
    encoded.subarray(0, BATCH_HEADER_BYTES + 32).toHex(),
    "494d4241" + "0100" + "8000" + "00010000" + "9946244a" + "0200000001000000" +
      "01000000" + "01000000" + "01".repeat(16) + "02".repeat(16) + "03".repeat(32) +
      "04000000" + "00000000" + "0100000000000000" + "00".repeat(16) +
      "0700" + "0000" + "0000" + "0100" + "0300000000000000" + "0100000000000000" + "00".repeat(8),
  );
});
