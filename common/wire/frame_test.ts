import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { encodeFrame, FRAME_BYTES_MAX, FrameReader, KEEP_ALIVE } from "./frame.ts";

const SEED = 3;
const FRAMES = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });

Deno.test("FrameReader gives the same frames however the stream is cut", () => {
  fc.assert(
    fc.property(FRAMES, fc.infiniteStream(fc.integer({ min: 1, max: 70 })), (frames, cuts) => {
      const stream = frames.flatMap((frame) => [...encodeFrame(frame)]);
      const reader = new FrameReader();
      const found: Uint8Array[] = [];
      for (let at = 0; at < stream.length;) {
        const length = cuts.next().value ?? 1;
        found.push(...reader.push(new Uint8Array(stream.slice(at, at + length))));
        at += length;
      }
      assertEquals(found, frames);
      assertEquals(reader.isInside, false);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("FrameReader refuses a length over the bound before it takes memory for it", () => {
  const prefix = new Uint8Array(4);
  new DataView(prefix.buffer).setUint32(0, FRAME_BYTES_MAX + 1, true);
  assertThrows(() => new FrameReader().push(prefix), RangeError);
  assertThrows(() => new FrameReader().push(new Uint8Array(4).fill(0xFF)), RangeError);
});

Deno.test("FrameReader knows when a stream was cut", () => {
  const reader = new FrameReader();
  assertEquals(reader.push(KEEP_ALIVE), [new Uint8Array(0)]);
  assertEquals(reader.isInside, false);
  reader.push(new Uint8Array([5, 0]));
  assertEquals(reader.isInside, true);
  reader.push(new Uint8Array([0, 0, 1]));
  assertEquals(reader.isInside, true);
});
