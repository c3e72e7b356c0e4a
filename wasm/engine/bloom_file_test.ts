import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { BloomFilter } from "./bloom.ts";
import { BLOOM_HEADER_BYTES, decodeBloom, encodeBloom } from "./bloom_file.ts";
import { BLOOM_ROOM_BYTES_MAX } from "./bloom_size.ts";
import { Engine } from "./engine.ts";

const engine = await Engine.create();
const other = await Engine.create();

function savedWith(keys: readonly string[], blocked: boolean): Uint8Array<ArrayBuffer> {
  const filter = new BloomFilter(engine, { items: Math.max(1, keys.length), blocked });
  for (const key of keys) filter.add(key);
  return filter.save();
}

/** The same bytes with a checksum that holds for them. */
function sealed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  const { bits, ...shape } = { ...decodeShape(copy), bits: copy.subarray(BLOOM_HEADER_BYTES) };
  return encodeBloom({ ...shape, bits });
}

function decodeShape(bytes: Uint8Array): Omit<ReturnType<typeof decodeBloom>, "bits"> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    places: view.getUint16(12, true),
    blocked: view.getUint16(14, true) === 1,
    items: view.getUint32(16, true),
    capacity: view.getUint32(20, true),
    rate: view.getFloat64(24, true),
  };
}

Deno.test("BloomFilter.load() denies no key that was added before save(), both variants", () => {
  const keys = fc.array(fc.string({ maxLength: 60 }), { maxLength: 60 });
  fc.assert(fc.property(keys, fc.boolean(), (added, blocked) => {
    const saved = savedWith(added, blocked);
    const loaded = BloomFilter.load(other, saved);
    assert(added.every((key) => loaded.has(key)));
    assertEquals(loaded.save(), saved);
  }));
});

Deno.test("BloomFilter.load() refuses every cut and every changed byte, and keeps what it had", () => {
  const saved = savedWith(["a", "b"], false);
  const before = new BloomFilter(other, { items: 10 });
  before.add("kept");
  for (let length = 0; length < saved.length; length++) {
    assertThrows(() => BloomFilter.load(other, saved.subarray(0, length)), ImmuneError);
  }
  for (let at = 0; at < saved.length; at++) {
    const changed = saved.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    assertThrows(() => BloomFilter.load(other, changed), ImmuneError);
  }
  assert(before.has("kept"));
});

Deno.test("BloomFilter.load() refuses shapes that are out of bounds, though the checksum holds", () => {
  const saved = savedWith(["a"], false);
  for (
    const [at, value, why] of [[12, 0, "places"], [12, 25, "places"], [12, 9, "take"]] as const
  ) {
    assertThrows(() => BloomFilter.load(other, sealed(saved, at, value)), ImmuneError, why);
  }
  const shape = decodeShape(saved);
  for (const rate of [0, 1, -1, NaN]) {
    const bytes = encodeBloom({ ...shape, rate, bits: new Uint8Array(64) });
    assertThrows(() => BloomFilter.load(other, bytes), ImmuneError, "out of range");
  }
  for (const length of [0, 65, BLOOM_ROOM_BYTES_MAX + 64]) {
    const bytes = encodeBloom({ ...shape, bits: new Uint8Array(length) });
    assertThrows(() => BloomFilter.load(other, bytes), ImmuneError, "no size");
  }
  const none = encodeBloom({ ...shape, capacity: 0, bits: new Uint8Array(64) });
  assertThrows(() => BloomFilter.load(other, none), ImmuneError, "capacity");
});

Deno.test("BloomFilter.load() refuses random bytes with ImmuneError alone", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assertThrows(() => BloomFilter.load(other, bytes), ImmuneError);
  }));
});
