import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { linesOf } from "./lines.ts";

async function* chunksOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

async function lines(parts: readonly Uint8Array[], bytesMax = 1000): Promise<unknown[]> {
  return await Array.fromAsync(linesOf(chunksOf(parts), { bytesMax }));
}

Deno.test("linesOf() gives the same lines, however the bytes come in chunks", async () => {
  const texts = fc.array(
    fc.string({ maxLength: 20, unit: "grapheme" }).map((t) => t.replaceAll("\n", "")),
  );
  await fc.assert(fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (texts, size) => {
    const bytes = new TextEncoder().encode(texts.map((text) => `${text}\n`).join(""));
    const parts = [];
    for (let at = 0; at < bytes.length; at += size) parts.push(bytes.slice(at, at + size));
    assertEquals(await lines(parts), texts);
  }));
});

Deno.test("linesOf() leaves out a line over its bound, and goes on behind it", async () => {
  const bytes = new TextEncoder().encode("a\nbbbb\ncc\ndddd");
  assertEquals(await lines([bytes], 3), ["a", undefined, "cc", undefined]);
});
