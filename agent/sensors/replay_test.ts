import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { decodeRecords } from "../../common/record/decode.ts";
import { encodeRecord } from "../../common/record/encode.ts";
import { RECORD_BYTES_MAX } from "../../common/record/table.ts";
import { MALFORMED_NAMED_MAX, ReplaySensor } from "./replay.ts";

/** Runs a recording through a view of that size; gives back the sequences read. */
function replay(
  bytes: Uint8Array,
  viewBytes = RECORD_BYTES_MAX,
): { sequences: number[]; sensor: ReplaySensor } {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, bytes);
    using sensor = new ReplaySensor(path);
    const view = new Uint8Array(viewBytes);
    const sequences: number[] = [];
    for (let length = sensor.poll(view); length > 0; length = sensor.poll(view)) {
      for (const record of decodeRecords(view.subarray(0, length))) sequences.push(record.sequence);
    }
    assertEquals(sensor.ended, true);
    return { sequences, sensor };
  } finally {
    Deno.removeSync(path);
  }
}

function open(sequence: number, pathBytes: number): Uint8Array {
  return encodeRecord("open", {
    header: { sequence: BigInt(sequence) },
    slots: { path: "/" + "a".repeat(pathBytes) },
  });
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("ReplaySensor gives every record once and in order, any sizes and views", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 150 }),
      fc.integer({ min: RECORD_BYTES_MAX, max: 3 * RECORD_BYTES_MAX }),
      (sizes, viewBytes) => {
        const recording = join(sizes.map((size, i) => open(i + 1, size)));
        const { sequences, sensor } = replay(recording, viewBytes);
        assertEquals(sequences, sizes.map((_, i) => i + 1));
        assertEquals([sensor.malformedBytes, sensor.malformed], [0, []]);
        assertEquals(sensor.stats().map((row) => row.seen), sizes.length ? [sizes.length] : []);
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("ReplaySensor names malformed bytes and goes on, garbage between records", () => {
  const record = open(1, 20);
  const garbage = new Uint8Array(40).fill(0xFF);
  const { sequences, sensor } = replay(join([record, garbage, open(2, 5), new Uint8Array(8)]));
  assertEquals(sequences, [1, 2]);
  assertEquals(sensor.malformed, [
    { offset: record.length, bytes: 40 },
    { offset: record.length + 40 + open(2, 5).length, bytes: 8 },
  ]);
  assertEquals(sensor.malformedBytes, 48);
});

Deno.test("ReplaySensor gives no half record, a recording cut anywhere", () => {
  const whole = join([open(1, 30), open(2, 30)]);
  const first = open(1, 30).length;
  for (let cut = 0; cut < whole.length; cut++) {
    const { sequences, sensor } = replay(whole.subarray(0, cut));
    assertEquals(sequences, cut < first ? [] : [1]);
    assertEquals(sensor.malformedBytes, cut < first ? cut : cut - first);
  }
});

Deno.test("ReplaySensor ends and accounts for every byte, any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
      const { sequences, sensor } = replay(bytes);
      if (sequences.length === 0) assertEquals(sensor.malformedBytes, bytes.length);
    }),
    { numRuns: 50 },
  );
});

Deno.test("ReplaySensor names a bounded number of stretches, many", () => {
  const stretches = MALFORMED_NAMED_MAX + 10;
  const parts = Array.from({ length: stretches }, (_, i) => [open(i + 1, 1), new Uint8Array(8)]);
  const { sequences, sensor } = replay(join(parts.flat()));
  assertEquals(sequences.length, stretches);
  assertEquals([sensor.malformed.length, sensor.malformedCount], [MALFORMED_NAMED_MAX, stretches]);
  assertEquals(sensor.malformedBytes, stretches * 8);
});

Deno.test("ReplaySensor refuses, a missing file, a small view, a closed one", () => {
  assertEquals(
    assertThrows(() => new ReplaySensor("/nowhere/r"), ImmuneError).code,
    "FILE_UNREADABLE",
  );
  const sensor = new ReplaySensor("/dev/null");
  assertThrows(() => sensor.poll(new Uint8Array(100)), ImmuneError, "at least");
  sensor.close();
  sensor.close();
  assertThrows(() => sensor.poll(new Uint8Array(RECORD_BYTES_MAX)), ImmuneError, "closed");
});
