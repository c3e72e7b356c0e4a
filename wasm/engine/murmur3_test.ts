import { assertEquals, assertThrows } from "@std/assert";
import { Engine } from "./engine.ts";
import { murmur3x64, murmur3x86 } from "./murmur3.ts";

const engine = await Engine.create();

/** SMHasher's verification: hash of the hashes of 0, 0 1, 0 1 2, ... with seeds 256, 255, ... */
function verification(hash: (key: Uint8Array, seed: number) => Uint8Array): number {
  const hashes: number[] = [];
  for (let i = 0; i < 256; i++) {
    hashes.push(...hash(Uint8Array.from({ length: i }, (_, n) => n), 256 - i));
  }
  const last = hash(Uint8Array.from(hashes), 0);
  return new DataView(last.buffer, last.byteOffset).getUint32(0, true);
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

Deno.test("murmur3x86() has the verification value of SMHasher", () => {
  const value = verification((key, seed) => littleEndian(murmur3x86(engine, key, { seed })));
  assertEquals(value, 0xB0F57EE3);
});

Deno.test("murmur3x64() has the verification value of SMHasher", () => {
  assertEquals(verification((key, seed) => murmur3x64(engine, key, { seed })), 0x6384BA69);
});

Deno.test("murmur3x86() hashes published vectors", () => {
  const vectors: readonly (readonly [string, number, number])[] = [
    ["", 0, 0],
    ["", 1, 0x514E28B7],
    ["", 0xFFFFFFFF, 0x81F16F39],
    ["test", 0, 0xBA6BD213],
    ["test", 0x9747B28C, 0x704B81DC],
    ["Hello, world!", 0x9747B28C, 0x24884CBA],
    ["The quick brown fox jumps over the lazy dog", 0x9747B28C, 0x2FA826CD],
  ];
  for (const [key, seed, hash] of vectors) assertEquals(murmur3x86(engine, key, { seed }), hash);
});

Deno.test("murmur3x64() hashes a published vector", () => {
  const hash = murmur3x64(engine, "The quick brown fox jumps over the lazy dog");
  const halves = new DataView(hash.buffer);
  assertEquals(halves.getBigUint64(0, true), 0xE34BBC7BBC071B6Cn);
  assertEquals(halves.getBigUint64(8, true), 0x7A433CA9C49A9347n);
});

Deno.test("murmur3x86() refuses a key that does not fit, bytes or string", () => {
  assertThrows(() => murmur3x86(engine, new Uint8Array(64 * 1024)), RangeError);
  assertThrows(() => murmur3x86(engine, "ä".repeat(40_000)), RangeError);
});
