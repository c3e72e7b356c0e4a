import { assertEquals } from "@std/assert";
import { SOURCES } from "../record/values.ts";
import { placeOf, TABLE_KIND, tableName, tableSource } from "./place.ts";

Deno.test("placeOf() names the CPU of a hook, in either ring, and the part of what is made", () => {
  assertEquals(placeOf({ kind: 1, source: 7 }), { cpu: 7, part: null });
  assertEquals(placeOf({ kind: 17, source: 0x4007 }), { cpu: 7, part: null });
  assertEquals(placeOf({ kind: 18, source: SOURCES.watch }), { cpu: null, part: "watch" });
  assertEquals(placeOf({ kind: 18, source: 0xF123 }), { cpu: null, part: "other" });
  assertEquals(placeOf({ kind: 18, source: 0x8001 }), { cpu: null, part: "other" });
});

Deno.test("tableName() knows each table, whatever CPU a row of it was counted on", () => {
  const names = [3, 0x4003, 0x8003, SOURCES.watch, SOURCES.hash, 0xF123].map(tableName);
  assertEquals(names, [
    "processes",
    "connections",
    "rates",
    "quiet_neighbours",
    "hashes",
    "other",
  ]);
  const served = [SOURCES.hash_apart, SOURCES.hash_still].map(tableName);
  assertEquals(served, ["hashes_served", "hashes_given_up"]);
  assertEquals([3, 0x4003, 0x8003, 0xF123].map(tableSource), [0, 0x4000, 0x8000, 0xF123]);
  assertEquals(placeOf({ kind: TABLE_KIND, source: 3 }), { cpu: null, part: "processes" });
});
