import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TYPED } from "../../common/indicators/_indicators_test_support.ts";
import { keyOf, makeIndicator } from "../../common/indicators/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { indicators, loaded, NOW_MS } from "./_indicators_test_support.ts";
import { IndicatorLookup } from "./lookup.ts";

const engine = await Engine.create();

Deno.test("IndicatorLookup.find() finds all that is listed and nothing that is not", () => {
  fc.assert(
    fc.property(fc.array(TYPED, { maxLength: 60 }), fc.array(TYPED), (listed, others) => {
      const made = listed.flatMap((each) => {
        const one = makeIndicator({ ...each, source: "feed" }, NOW_MS);
        return typeof one === "string" ? [] : [one];
      });
      const lookup = new IndicatorLookup(engine);
      lookup.use(loaded(made));
      for (const { type, value, id } of made) {
        const found = lookup.find(type, keyOf(type, value), { nowMs: NOW_MS });
        assertEquals(found.map((each) => each.id), [id]);
      }
      const names = new Set(made.map(({ type, value }) => `${type} ${value}`));
      for (const each of others) {
        const other = makeIndicator({ ...each, source: "feed" }, NOW_MS);
        if (typeof other === "string" || names.has(`${other.type} ${other.value}`)) continue;
        const key = keyOf(other.type, other.value);
        assertEquals(lookup.find(other.type, key, { nowMs: NOW_MS }), []);
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("IndicatorLookup.find() confirms: the filter alone raises nothing", () => {
  const lookup = new IndicatorLookup(engine);
  lookup.use(loaded(indicators([{ type: "name", value: "m.example" }])));
  // The bytes are in the filter, as those of another type.
  const key = keyOf("domain", "m.example");
  assertEquals(lookup.find("domain", key, { nowMs: NOW_MS }), []);
  assertEquals(lookup.find("name", key, { nowMs: NOW_MS }).length, 1);
  assertEquals(lookup.counters, { maybe: 2, confirmed: 1 });
});

Deno.test("IndicatorLookup.find() leaves out what is over, also when it was loaded before", () => {
  const lookup = new IndicatorLookup(engine);
  const expiresMs = NOW_MS + 5000;
  lookup.use(loaded(indicators([
    { type: "path", value: "/tmp/a", id: "1", expiresMs },
    { type: "path", value: "/tmp/a", id: "2" },
  ])));
  const ids = (nowMs: number): string[] =>
    lookup.find("path", keyOf("path", "/tmp/a"), { nowMs }).map(({ id }) => id);
  assertEquals([ids(expiresMs - 1), ids(expiresMs)], [["1", "2"], ["2"]]);
});

Deno.test("IndicatorLookup.findAddress() finds the address and every network that holds it", () => {
  const lookup = new IndicatorLookup(engine);
  lookup.use(loaded(indicators([
    { type: "ipv4", value: "192.0.2.1" },
    { type: "ipv4", value: "192.0.2.0/24" },
    { type: "ipv4", value: "192.0.0.0/16" },
    { type: "ipv4", value: "192.0.3.0/24" },
    { type: "ipv6", value: "2001:db8::/32" },
  ])));
  const found = (address: readonly number[]): string[] =>
    lookup.findAddress(Uint8Array.from(address), { nowMs: NOW_MS }).map(({ value }) => value)
      .sort();
  assertEquals(found([192, 0, 2, 1]), ["192.0.0.0/16", "192.0.2.0/24", "192.0.2.1"]);
  assertEquals(found([192, 1, 2, 1]), []);
  assertEquals(found([0x20, 1, 0x0d, 0xb8, ...new Uint8Array(12)]), ["2001:db8::/32"]);
  assert(lookup.size === 5);
});

Deno.test("IndicatorLookup.use() puts other indicators in place of those before", () => {
  const lookup = new IndicatorLookup(engine);
  const has = (path: string): boolean =>
    lookup.find("path", keyOf("path", path), { nowMs: NOW_MS }).length > 0;
  assertEquals(has("/tmp/a"), false);
  lookup.use(loaded(indicators([{ type: "path", value: "/tmp/a" }])));
  assertEquals([has("/tmp/a"), has("/tmp/b")], [true, false]);
  lookup.use(loaded(indicators([{ type: "path", value: "/tmp/b" }])));
  assertEquals([has("/tmp/a"), has("/tmp/b")], [false, true]);
});
