import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeRecord, encodeRecord } from "../record/mod.ts";
import { decodeHealth, encodeHealth, type Health, SCAN_CLASSES } from "./health.ts";
import { PLACES_MAX, TALLIES_MAX } from "./tally.ts";

const COUNT = fc.maxSafeNat();
const COUNTS = {
  seen: COUNT,
  submitted: COUNT,
  filtered: COUNT,
  folded: COUNT,
  ringFull: COUNT,
  oversized: COUNT,
  unreadable: COUNT,
};
const PROGRAMS = fc.array(
  fc.record({
    program: fc.stringMatching(/^[a-z0-9_]{1,32}$/),
    count: fc.nat(),
  }, { noNullPrototype: true }),
  { maxLength: TALLIES_MAX },
);
const HEALTH: fc.Arbitrary<Health> = fc.record({
  rules: fc.nat(0xFFFF_FFFF),
  ruleSet: fc.constantFrom("", "0f".repeat(32)),
  records: COUNT,
  alerts: COUNT,
  masked: COUNT,
  scanTimeNs: COUNT,
  scans: fc.array(COUNT, { minLength: SCAN_CLASSES, maxLength: SCAN_CLASSES }),
  tallies: fc.array(
    fc.record({ kind: fc.nat(0xFFFF), ...COUNTS }, { noNullPrototype: true }),
    { maxLength: TALLIES_MAX },
  ),
  missed: PROGRAMS,
  tiers: fc.array(
    fc.record({
      tier: fc.constantFrom("lsm", "cgroup", "fanotify", "signal"),
      judged: fc.nat(),
      refused: fc.nat(),
      monitored: fc.nat(),
      capped: fc.nat(),
      failed: fc.nat(),
    }, { noNullPrototype: true }),
    { maxLength: 4 },
  ),
  places: fc.array(
    fc.record({ kind: fc.nat(0xFFFF), source: fc.nat(0xFFFF), ...COUNTS }, {
      noNullPrototype: true,
    }),
    { maxLength: PLACES_MAX },
  ),
  detached: PROGRAMS,
}, { noNullPrototype: true });

Deno.test("decodeHealth() reads back what encodeHealth() wrote", () => {
  fc.assert(fc.property(HEALTH, (health) => {
    assertEquals(decodeHealth(decodeRecord(encodeHealth(health, {}))), health);
  }));
});

Deno.test("decodeHealth() refuses figures that no agent has", () => {
  const scans = new Uint8Array(SCAN_CLASSES * 8);
  const read = (
    slots: {
      readonly rule_set?: string;
      readonly scans?: Uint8Array;
      readonly tallies?: Uint8Array;
      readonly missed?: string;
      readonly tiers?: string;
      readonly places?: Uint8Array;
      readonly detached?: string;
    },
    records = 0n,
  ): Health | undefined =>
    decodeHealth(decodeRecord(encodeRecord("health", { body: { records }, slots })));
  assertEquals(read({ rule_set: "", scans })?.records, 0);
  assertEquals(read({ rule_set: "not a hash", scans }), undefined);
  assertEquals(read({ rule_set: "", scans: scans.subarray(8) }), undefined);
  assertEquals(read({ rule_set: "" }), undefined);
  assertEquals(read({ rule_set: "", scans, tallies: new Uint8Array(8) }), undefined);
  assertEquals(read({ rule_set: "", scans, tiers: "lsm 1 2 3 4" }), undefined);
  assertEquals(read({ rule_set: "", scans, tiers: "lsm 1 2 3 4 x" }), undefined);
  const tooMany = new Uint8Array(64 * (PLACES_MAX + 1));
  assertEquals(read({ rule_set: "", scans, places: tooMany }), undefined);
  assertEquals(read({ rule_set: "", scans, places: new Uint8Array(8) }), undefined);
  assertEquals(read({ rule_set: "", scans, detached: "on_exec" }), undefined);
  // An agent of an earlier version.
  assertEquals(read({ rule_set: "", scans })?.places, []);
  assertEquals(read({ rule_set: "", scans })?.detached, []);
  // A tier of a later version.
  const tiers = "moon 1 2 3 4 5\nlsm 9 1 2 3 4";
  assertEquals(read({ rule_set: "", scans, tiers })?.tiers, [
    { tier: "lsm", judged: 9, refused: 1, monitored: 2, capped: 3, failed: 4 },
  ]);
  assertEquals(read({ rule_set: "", scans, tallies: new Uint8Array(64).fill(0xFF) }), undefined);
  assertEquals(read({ rule_set: "", scans, missed: "on_exec -1" }), undefined);
  assertEquals(read({ rule_set: "", scans, missed: "on_exec 3" })?.missed, [
    { program: "on_exec", count: 3 },
  ]);
  assertEquals(read({ rule_set: "", scans }, 1n << 60n), undefined);
  assertEquals(read({ rule_set: "", scans: new Uint8Array(scans).fill(0xFF) }), undefined);
});
