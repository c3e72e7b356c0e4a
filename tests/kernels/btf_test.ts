import { assertEquals } from "@std/assert";
import { findTypes } from "./btf.ts";

/** An image with a header of BTF at `at`, types of `types` bytes and texts of `texts`. */
function image(
  at: number,
  { types, texts }: { readonly types: number; readonly texts: number },
): Uint8Array {
  const bytes = new Uint8Array(at + 24 + types + texts + 5).fill(0x9f);
  bytes.set([0x9f, 0xeb, 1, 0, 24, 0, 0, 0], at);
  new Uint32Array(bytes.buffer, at + 8, 4).set([0, types, types, texts]);
  return bytes;
}

Deno.test("findTypes() cuts types and texts out of an image", () => {
  const found = findTypes(image(4096, { types: 200_000, texts: 300 }));
  assertEquals([found?.byteOffset, found?.length], [4096, 24 + 200_300]);
});

Deno.test("findTypes() takes no small ones, none that are cut, and none from nothing", () => {
  assertEquals(findTypes(image(8, { types: 100, texts: 30 })), undefined);
  assertEquals(findTypes(image(8, { types: 200_000, texts: 300 }).subarray(0, 1000)), undefined);
  assertEquals(findTypes(image(8, { types: 200_000, texts: 300 }).subarray(0, 20)), undefined);
  assertEquals(findTypes(new Uint8Array()), undefined);
});
