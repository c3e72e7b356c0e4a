import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { zstdCompressSync } from "node:zlib";
import { BATCH_BYTES_MAX } from "../../common/wire/mod.ts";
import { pack, unpack } from "./codec.ts";

Deno.test("unpack() gives what pack() took, in a buffer of its own", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3000 }),
      fc.integer({ min: 1, max: 9 }),
      (part, times) => {
        const bytes = new Uint8Array(part.length * times);
        for (let i = 0; i < times; i++) bytes.set(part, i * part.length);
        const packed = pack(bytes);
        const back = unpack(packed, bytes);
        assertEquals(back, bytes);
        assertEquals(back.buffer.byteLength, back.length);
        assertEquals(packed.bytes.length <= bytes.length, true);
      },
    ),
    { seed: 3 },
  );
});

Deno.test("pack() keeps as it is what does not become shorter", () => {
  const noise = crypto.getRandomValues(new Uint8Array(5000));
  assertEquals(pack(noise).bytes, noise);
  assertEquals(pack(new Uint8Array(5000)).bytes.length < 100, true);
});

Deno.test("unpack() refuses what is damaged, longer than a batch, or of a codec to come", () => {
  const length = 5000;
  const { codec, bytes } = pack(new Uint8Array(length));
  for (let cut = 0; cut < bytes.length; cut++) {
    assertThrows(() => unpack({ codec, bytes: bytes.slice(0, cut) }, { length }));
  }
  const bomb = zstdCompressSync(new Uint8Array(BATCH_BYTES_MAX + 1));
  assertThrows(() => unpack({ codec, bytes: bomb }, { length: BATCH_BYTES_MAX + 1 }));
  assertThrows(() => unpack({ codec: 7, bytes }, { length }), Error, "codec");
  assertThrows(() => unpack({ codec: 0, bytes }, { length }));
});
