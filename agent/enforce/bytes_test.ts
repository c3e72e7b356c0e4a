import { assertEquals } from "@std/assert";
import { Bytes } from "./bytes.ts";

Deno.test("Bytes keeps what is written while it grows, by each way of writing", () => {
  const writes: Readonly<Record<string, (out: Bytes, value: number) => void>> = {
    u16: (out, value) => void out.u16(value),
    u32: (out, value) => void out.u32(value),
    u64: (out, value) => void out.u64(BigInt(value)),
    padded: (out, value) => void out.padded(Uint8Array.of(value, value >> 8), 263),
  };
  for (const [name, write] of Object.entries(writes)) {
    const out = new Bytes();
    const count = 5000;
    for (let i = 0; i < count; i++) write(out, i);
    const view = new DataView(out.take().buffer);
    const width = view.byteLength / count;
    const read = Array.from({ length: count }, (_, i) => view.getUint16(i * width, true));
    assertEquals(read, Array.from({ length: count }, (_, i) => i), name);
  }
});

Deno.test("Bytes takes at once more than it has room for", () => {
  const bytes = new Uint8Array(100_000).fill(7);
  assertEquals(new Bytes().u32(1).padded(bytes, bytes.length).take().subarray(4), bytes);
});
