import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BloomFilter } from "./bloom.ts";
import { BLOOM_BYTES_MAX } from "./bloom_size.ts";
import { Engine } from "./engine.ts";
import { TunedBloom } from "./tuned_bloom.ts";

const engine = await Engine.create();

/** Share of keys that were never added and are not denied. */
function positivesOf(filter: BloomFilter, asked = 50_000): number {
  let positives = 0;
  for (let i = 0; i < asked; i++) if (filter.has(`never/${i}`)) positives++;
  return positives / asked;
}

Deno.test("BloomFilter.stats() estimates the rate that is measured, both variants", () => {
  for (const blocked of [false, true]) {
    const filter = new BloomFilter(engine, { items: 5000, rate: 0.01, blocked });
    assertEquals([filter.stats().fill, filter.stats().estimatedRate], [0, 0]);
    for (let i = 0; i < 15_000; i++) filter.add(`in/${i}`);
    const { items, capacity, bits, fill, estimatedRate } = filter.stats();
    const measured = positivesOf(filter);
    assert(Math.abs(measured - estimatedRate) < estimatedRate * 0.15, `${blocked}: ${measured}`);
    assert(items > 12_000 && items <= 15_000, `${items}`);
    assertEquals([capacity, bits], [5000, filter.size.bytes * 8]);
    assert(fill > 0.5 && fill < 1);
  }
});

Deno.test("BloomFilter.stats() counts the bits that are set", () => {
  const filter = new BloomFilter(engine, { items: 100, rate: 0.01 });
  filter.add("one key");
  const saved = filter.save().subarray(-filter.size.bytes);
  const set = [...saved].reduce(
    (sum, byte) => sum + byte.toString(2).replaceAll("0", "").length,
    0,
  );
  assertEquals(Math.round(filter.stats().fill * filter.stats().bits), set);
});

Deno.test("TunedBloom stays under its rate while it grows a hundredfold, and denies nothing", () => {
  for (const blocked of [false, true]) {
    const added: string[] = [];
    const tuned = new TunedBloom(engine, { keys: () => added, items: 100, rate: 0.005, blocked });
    for (let i = 0; i < 10_000; i++) {
      added.push(`in/${i}`);
      tuned.add(`in/${i}`);
    }
    const { rebuilt, items, askedRate, wantedRate, estimatedRate } = tuned.tune();
    assert(rebuilt >= 6 && rebuilt <= 9, `${rebuilt}`);
    assert(items > 9900 && items <= 10_000, `${items}`);
    assertEquals([askedRate, wantedRate], [0.005, 0.005]);
    assert(estimatedRate < 0.005 * 1.35, `${estimatedRate}`);
    assert(added.every((key) => tuned.filter.has(key)));
    assert(positivesOf(tuned.filter) < 0.005 * 1.35);
  }
});

Deno.test("TunedBloom.tune() makes anew what was overfilled behind its back", () => {
  const added = ["first"];
  const tuned = new TunedBloom(engine, { keys: () => added, items: 1000, rate: 0.01 });
  assertEquals(tuned.tune().rebuilt, 0);
  // All bits set: every key seems to be there already, so no count of keys tells.
  engine.core.bloom.fill(0xff, 0, tuned.filter.size.bytes);
  const { rebuilt, estimatedRate } = tuned.tune();
  assertEquals(rebuilt, 1);
  assert(estimatedRate < 0.01 && tuned.filter.has("first"));
});

Deno.test("TunedBloom takes the best rate that fits, and says so, where the wanted one does not", () => {
  const count = 900_000;
  const tuned = new TunedBloom(engine, {
    keys: function* (): Generator<string> {
      for (let i = 0; i < count; i++) yield `in/${i}`;
    },
    items: count,
    rate: 0.000_001,
  });
  const { askedRate, wantedRate, estimatedRate } = tuned.stats();
  assertEquals(askedRate, 0.000_001);
  assert(wantedRate > askedRate && wantedRate < 0.001, `${wantedRate}`);
  assert(estimatedRate < wantedRate * 1.35);
  assert(tuned.filter.size.bytes <= BLOOM_BYTES_MAX);
});

Deno.test("10,000 keys under 1 % of false positives take less than 1 MB", () => {
  const filter = new BloomFilter(engine, { items: 10_000, rate: 0.01 });
  for (let i = 0; i < 10_000; i++) filter.add(`in/${i}`);
  assert(filter.save().length < 1_000_000);
  assert(positivesOf(filter) < 0.0135);
  const tighter = new BloomFilter(engine, { items: 10_000, rate: 0.005 });
  for (let i = 0; i < 10_000; i++) tighter.add(`in/${i}`);
  assert(tighter.save().length < 1_000_000);
  assert(positivesOf(tighter) < 0.01);
});

Deno.test("TunedBloom denies no key that was added, whatever is added in which order", () => {
  const keys = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 200 });
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 50 }), (all, items) => {
      const added: Uint8Array[] = [];
      const tuned = new TunedBloom(engine, { keys: () => added, items, rate: 0.2 });
      for (const key of all) {
        added.push(key);
        tuned.add(key);
        assert(added.every((each) => tuned.filter.has(each)));
      }
    }),
    { numRuns: 40 },
  );
});
