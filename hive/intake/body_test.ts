import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { readBody } from "./body.ts";

const SEED = 3;
const BYTES_MAX = 64;

async function* inPieces(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

Deno.test("readBody() gives one buffer of their length, whatever was announced", async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 });
  const announced = fc.option(fc.nat(BYTES_MAX), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(pieces, announced, async (chunks, length) => {
      const whole = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
      const read = readBody(inPieces(chunks), { bytesMax: BYTES_MAX, announced: length });
      if (whole.length > BYTES_MAX) {
        const error = await assertRejects(() => read, ImmuneError);
        assertEquals(error.code, "BATCH_TOO_LARGE");
      } else {
        const bytes = await read;
        assertEquals(bytes.toHex(), whole.toHex());
        assertEquals(bytes.buffer.byteLength, bytes.length);
      }
    }),
    { seed: SEED },
  );
});

Deno.test("readBody() reads past what is too large, no further than told", async () => {
  let taken = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      taken += 10;
      yield await Promise.resolve(new Uint8Array(10));
    }
  }
  const options = { bytesMax: BYTES_MAX, announced: 1e12, drainBytesMax: 100 };
  await assertRejects(() => readBody(endless(), options), ImmuneError);
  assertEquals(taken, 170);
});

Deno.test("readBody() passes on that the body broke off", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(10));
    throw new TypeError("aborted");
  }
  await assertRejects(() => readBody(broken(), { bytesMax: BYTES_MAX }), TypeError, "aborted");
});
