import { assert, assertEquals, assertThrows } from "@std/assert";
import { buildWasm } from "./wasm.ts";

const ENGINE = new URL("../out/engine.wasm", import.meta.url);
const PAGE_BYTES = 64 * 1024;

Deno.test("buildWasm() leaves an engine alone that is up to date", async () => {
  await buildWasm();
  const before = (await Deno.stat(ENGINE)).mtime?.getTime();
  await buildWasm();
  assertEquals((await Deno.stat(ENGINE)).mtime?.getTime(), before);
});

Deno.test("buildWasm() gives a module with one bounded memory and no static data above 64 KiB", async () => {
  await buildWasm();
  const module = await WebAssembly.compile(await Deno.readFile(ENGINE));
  const { exports } = await WebAssembly.instantiate(module, { env: { abort: () => {} } });
  const memory = exports.memory;
  assert(memory instanceof WebAssembly.Memory);
  assertEquals(memory.buffer.byteLength, (await pagesOf("MEMORY_PAGES")) * PAGE_BYTES);
  assert(new Uint8Array(memory.buffer, 64 * 1024).every((byte) => byte === 0));
  memory.grow((await pagesOf("MEMORY_PAGES_MAX")) - memory.buffer.byteLength / PAGE_BYTES);
  assertThrows(() => memory.grow(1), RangeError);
});

async function pagesOf(name: string): Promise<number> {
  const map = await Deno.readTextFile(new URL("../wasm/assembly/memory.ts", import.meta.url));
  return Number(new RegExp(`\\b${name}: u32 = (\\d+);`).exec(map)?.[1]);
}
