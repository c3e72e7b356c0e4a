import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { crc32 } from "node:zlib";
import { ImmuneError } from "../config/errors.ts";
import { indicator, NOW_MS, TYPED } from "./_indicators_test_support.ts";
import { makeIndicator } from "./indicator.ts";
import { IndicatorSet } from "./set.ts";
import { encodeSet, SetImage } from "./set_file.ts";
import { keyOf } from "./value.ts";

const LISTED = fc.record({
  typed: TYPED,
  source: fc.constantFrom("feed", "herd", "café"),
  id: fc.string({ maxLength: 30 }),
  title: fc.string({ maxLength: 60, unit: "grapheme" }),
  labels: fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 }),
  confidence: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  severity: fc.constantFrom("informational", "low", "medium", "high", "critical"),
  sightings: fc.nat(),
  lifeMs: fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined }),
});

function setOf(
  listed: readonly (typeof LISTED extends fc.Arbitrary<infer T> ? T : never)[],
): IndicatorSet {
  const set = new IndicatorSet();
  for (const { typed, lifeMs, ...rest } of listed) {
    const expiresMs = lifeMs === undefined ? undefined : NOW_MS + 1000 + lifeMs;
    const made = makeIndicator({ ...typed, ...rest, expiresMs }, NOW_MS);
    if (typeof made !== "string") set.add([made], NOW_MS);
  }
  return set;
}

/** Changes a byte and makes the checksum hold for it. */
function sealed(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy[at] = value;
  const crc = crc32(copy.subarray(24), crc32(copy.subarray(0, 20)));
  new DataView(copy.buffer).setUint32(20, crc, true);
  return copy;
}

Deno.test("SetImage gives back every set, entry by entry and as a whole", () => {
  fc.assert(
    fc.property(fc.array(LISTED, { maxLength: 30 }), (listed) => {
      const set = setOf(listed);
      const bytes = encodeSet(set);
      const image = SetImage.read(bytes);
      const read = Array.from({ length: image.size }, (_, i) => image.indicatorAt(i));
      assertEquals(read, set.sorted());
      assertEquals(new Map(image.sourceCounts()), new Map(set.sources));
      assertEquals(encodeSet(image.toSet()), bytes);
    }),
    { numRuns: 300 },
  );
});

Deno.test("SetImage.find() finds what is listed, all of it, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(LISTED, { maxLength: 40 }), TYPED, (listed, other) => {
      const set = setOf(listed);
      const image = SetImage.read(encodeSet(set));
      const all = [...set.all()];
      for (const { type, value } of all) {
        const { from, to } = image.find(type, keyOf(type, value));
        const found = Array.from({ length: to - from }, (_, i) => image.indicatorAt(from + i));
        const wanted = all.filter((each) => each.type === type && each.value === value);
        assertEquals(new Set(found), new Set(wanted));
      }
      const made = makeIndicator({ ...other, source: "x" }, NOW_MS);
      if (typeof made === "string") return;
      const isListed = all.some((each) => each.type === made.type && each.value === made.value);
      const { from, to } = image.find(made.type, keyOf(made.type, made.value));
      assertEquals(to > from, isListed);
    }),
    { numRuns: 300 },
  );
});

Deno.test("SetImage keeps what left the set", () => {
  const set = new IndicatorSet();
  set.add([indicator({ id: "1" }), indicator({ id: "2", expiresMs: NOW_MS + 1000 })], NOW_MS);
  set.withdraw({ source: "feed", id: "1" });
  set.expire(NOW_MS + 1000);
  assertEquals(SetImage.read(encodeSet(set)).toSet().left, set.left);
});

Deno.test("SetImage refuses every cut and every changed byte", () => {
  const set = new IndicatorSet();
  set.add([indicator({ labels: ["a", "b"], title: "t" }), indicator({ source: "herd" })], NOW_MS);
  const bytes = encodeSet(set);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => SetImage.read(bytes.slice(0, length)), ImmuneError);
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    assertThrows(() => SetImage.read(changed), ImmuneError);
  }
});

Deno.test("SetImage stays within its bytes, whatever they say under a checksum that holds", () => {
  const set = new IndicatorSet();
  set.add([indicator({ labels: ["a"] }), indicator({ type: "ipv4", value: "192.0.2.1" })], NOW_MS);
  const bytes = encodeSet(set);
  const at = fc.integer({ min: 0, max: bytes.length - 1 });
  fc.assert(
    fc.property(at, fc.integer({ min: 0, max: 255 }), (place, value) => {
      try {
        const image = SetImage.read(sealed(bytes, place, value));
        for (let i = 0; i < image.size; i++) image.indicatorAt(i);
      } catch (error) {
        assert(error instanceof ImmuneError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("SetImage refuses entries that are out of order, in which nothing would be found", () => {
  const one = (value: string): Uint8Array<ArrayBuffer> => {
    const set = new IndicatorSet();
    set.add([indicator({ value })], NOW_MS);
    return encodeSet(set);
  };
  const set = new IndicatorSet();
  set.add([indicator({ value: "/tmp/a" }), indicator({ value: "/tmp/b" })], NOW_MS);
  const bytes = encodeSet(set);
  const at = one("/tmp/a").length;
  const swapped = bytes.slice();
  const length = bytes.length - at;
  swapped.copyWithin(at - length, at);
  swapped.set(bytes.subarray(at - length, at), at);
  const crc = crc32(swapped.subarray(24), crc32(swapped.subarray(0, 20)));
  new DataView(swapped.buffer).setUint32(20, crc, true);
  assertThrows(() => SetImage.read(swapped), ImmuneError, "out of order");
});
