import { assert, assertEquals } from "@std/assert";
import { buildWasm } from "./wasm.ts";

const ENGINE = new URL("../out/engine.wasm", import.meta.url);

Deno.test("buildWasm() leaves an engine alone that is up to date", async () => {
  await buildWasm();
  const before = (await Deno.stat(ENGINE)).mtime?.getTime();
  await buildWasm();
  assertEquals((await Deno.stat(ENGINE)).mtime?.getTime(), before);
});

Deno.test("buildWasm() gives a module with one fixed memory and no static data above 64 KiB", async () => {
  await buildWasm();
  const module = await WebAssembly.compile(await Deno.readFile(ENGINE));
  const { exports } = await WebAssembly.instantiate(module, { env: { abort: () => {} } });
  const memory = exports.memory;
  assert(memory instanceof WebAssembly.Memory);
  let grew = true;
  try {
    memory.grow(1);
  } catch (error) {
    assert(error instanceof RangeError);
    grew = false;
  }
  assert(!grew, "the memory can grow");
  assert(new Uint8Array(memory.buffer, 64 * 1024).every((byte) => byte === 0));
});
