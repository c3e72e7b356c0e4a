import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BloomFilter } from "./bloom.ts";
import { BLOOM_BYTES_MAX, BLOOM_ROOM_BYTES_MAX, bloomItemsMax, bloomSize } from "./bloom_size.ts";
import { Engine } from "./engine.ts";

const engine = await Engine.create();
const VARIANTS = [false, true];

Deno.test("BloomFilter.has() never denies a key that was added, both variants", () => {
  const keys = fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 50 });
  fc.assert(fc.property(keys, fc.constantFrom(...VARIANTS), (added, blocked) => {
    const filter = new BloomFilter(engine, { items: added.length, blocked });
    added.forEach((key) => filter.add(key));
    assert(added.every((key) => filter.has(key)));
  }));
});

Deno.test("BloomFilter.has() denies everything in an empty filter", () => {
  for (const blocked of VARIANTS) {
    const full = new BloomFilter(engine, { items: 10, blocked });
    full.add("a");
    const empty = new BloomFilter(engine, { items: 10, blocked });
    assert(!empty.has("a") && !empty.has(""));
  }
});

Deno.test("BloomFilter.has() keeps its rate of false positives, both variants", () => {
  const items = 20_000;
  for (const blocked of VARIANTS) {
    for (const rate of [0.05, 0.01, 0.001]) {
      const filter = new BloomFilter(engine, { items, rate, blocked });
      for (let i = 0; i < items; i++) filter.add(`in/${i}`);
      const asked = 50_000;
      let positives = 0;
      for (let i = 0; i < asked; i++) if (filter.has(`out/${i}`)) positives++;
      const found = positives / asked;
      const message = `rate ${rate} blocked ${blocked}: ${found}`;
      assert(found < rate * 1.35 + 0.0002, message);
      assert(found > rate / 3, `${message}: larger than it needs to be`);
    }
  }
});

Deno.test("BloomFilter.hasAt() asks for a key in memory as has() does", () => {
  const filter = new BloomFilter(engine, { items: 10 });
  filter.add("/usr/bin/id");
  engine.batch.set(new TextEncoder().encode("/usr/bin/idx"), 3);
  const place = engine.batch.byteOffset + 3;
  assertEquals([filter.hasAt(place, 11), filter.hasAt(place, 12)], [
    true,
    filter.has("/usr/bin/idx"),
  ]);
});

Deno.test("bloomSize() computes bytes and places", () => {
  // 1,000 keys at 1 %: 9,586 bits, 7 places (Bloom 1970).
  assertEquals(bloomSize({ items: 1000, rate: 0.01 }), { bytes: 1216, places: 7 });
  assertEquals(bloomSize({ items: 1, rate: 0.5 }), { bytes: 64, places: 1 });
});

Deno.test("bloomSize() refuses what is out of range or does not fit", () => {
  for (const rate of [0, 1, -1, NaN]) assertThrows(() => bloomSize({ items: 1, rate }), RangeError);
  for (const items of [0, -1, NaN]) assertThrows(() => bloomSize({ items }), RangeError);
  assertThrows(() => bloomSize({ items: BLOOM_BYTES_MAX * 8 }), RangeError, "bytes");
});

Deno.test("bloomItemsMax() is what just fits", () => {
  for (const blocked of VARIANTS) {
    for (let rate = 0.5; rate > 1e-7; rate /= 1.7) {
      const items = bloomItemsMax({ rate, blocked });
      assertEquals(bloomSize({ items, rate, blocked }).bytes, BLOOM_BYTES_MAX);
      assertThrows(() => bloomSize({ items: items + 100, rate, blocked }), RangeError);
    }
  }
});

Deno.test("BloomFilter takes the room that its engine was made with", async () => {
  const bloomBytes = 8 * 1024 * 1024;
  const roomy = await Engine.create({ bloomBytes });
  const items = bloomItemsMax({ blocked: true, bytesMax: bloomBytes });
  assertThrows(() => new BloomFilter(engine, { items, blocked: true }), RangeError, "Cannot hold");
  const filter = new BloomFilter(roomy, { items, blocked: true });
  assertEquals(filter.size.bytes, bloomBytes);
  const keys = Array.from({ length: 20_000 }, (_, i) => `key ${i}`);
  keys.forEach((key) => filter.add(key));
  assert(keys.every((key) => filter.has(key)) && !filter.has("key"));
  // Other regions are where they were: the filter is behind them.
  assert(roomy.core.bloom.byteOffset > roomy.batch.byteOffset + roomy.batch.length);
  for (const wrong of [0, NaN, BLOOM_ROOM_BYTES_MAX + 64]) {
    await assertRejects(() => Engine.create({ bloomBytes: wrong }), RangeError, "give");
  }
});
