import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { decodeRecord, decodeRecords } from "./decode.ts";
import { encodeRecord, makeRecord } from "./encode.ts";
import { GOLDEN_RECORDS } from "./_golden_test_support.ts";

Deno.test("decodeRecord() gives back what encodeRecord() wrote", () => {
  const bytes = fc.uint8Array({ maxLength: 200, minLength: 1 });
  fc.assert(fc.property(
    fc.record({ pid: fc.nat(), start: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ image: bytes, argv: bytes, cwd: bytes }),
    fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
    ({ pid, start }, slots, inode) => {
      const record = makeRecord("exec", {
        header: { pid, start_time_ns: start },
        body: { inode },
        slots,
      });
      assertEquals(record.pid, pid);
      assertEquals(record.startTimeNs, start);
      assertEquals(record.number("exec", "inode"), Number(inode));
      assertEquals(record.slot("exec", "image"), slots.image);
      assertEquals(record.slot("exec", "argv"), slots.argv);
      assertEquals(record.slot("exec", "file_name"), undefined);
      assertEquals(record.bytes.length % 8, 0);
    },
  ));
});

Deno.test("decodeRecords() walks a buffer record by record", () => {
  const parts = [
    encodeRecord("fork", { header: { pid: 1 } }),
    encodeRecord("open", { header: { pid: 2 }, slots: { path: "/etc/shadow" } }),
    encodeRecord("exit", { header: { pid: 3 }, body: { signal: 9 } }),
  ];
  const all = new Uint8Array(parts.flatMap((part) => [...part]));
  assertEquals([...decodeRecords(all)].map((record) => record.pid), [1, 2, 3]);
});

Deno.test("decodeRecord() names a length that is past the end", () => {
  const bytes = encodeRecord("fork", {});
  new DataView(bytes.buffer).setUint32(0, 104, true);
  const error = assertThrows(
    () => decodeRecord(bytes),
    ImmuneError,
    'length "104" is past the end',
  );
  assertEquals(error.code, "RECORD_MALFORMED");
});

Deno.test("decodeRecord() survives any bytes with a named error", () => {
  const good = encodeRecord("exec", { slots: { image: "/bin/sh", argv: "sh\0" } });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }),
      (edits) => {
        const bytes = good.slice();
        for (const [at, value] of edits) bytes[at] = value;
        try {
          const record = decodeRecord(bytes);
          const slot = record.slot("exec", "image");
          assert(slot === undefined || slot.length <= bytes.length);
          record.number("exec", "inode");
        } catch (error) {
          assert(error instanceof ImmuneError);
          assertEquals(error.code, "RECORD_MALFORMED");
        }
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("decodeRecord() reads 0 for a body field that an older writer lacks", () => {
  const record = makeRecord("exit", { body: { exit_code: 3, signal: 9 } });
  new DataView(record.bytes.buffer).setUint16(6, 4, true);
  assertEquals(decodeRecord(record.bytes).number("exit", "exit_code"), 3);
  assertEquals(decodeRecord(record.bytes).number("exit", "signal"), 0);
});

for (const golden of GOLDEN_RECORDS) {
  Deno.test(`decodeRecord() reads the golden ${golden.kind} record`, () => {
    const record = decodeRecord(Uint8Array.fromHex(golden.hex));
    assertEquals(record.kind, golden.kind);
    assertEquals(record.pid, golden.pid);
    assertEquals(String(record.startTimeNs), golden.startTimeNs);
    assertEquals(record.sequence, golden.sequence);
    assertEquals(golden.hex, encodeRecord(golden.kind, golden.values).toHex());
  });
}
