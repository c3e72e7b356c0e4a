import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { compileRules } from "../sigma/mod.ts";
import { antibody, NOW_MS, RULE } from "./_herd_test_support.ts";
import { antibodyRuleId } from "./antibody.ts";
import { indicatorsOf, rulesOf } from "./detect.ts";
import { NO_OWN_THINGS } from "./protected.ts";
import { badRule } from "./rule_lint.ts";
import { ANTIBODIES_PER_SET_MAX, readAntibodySet, writeAntibodySet } from "./set.ts";

const OPTIONS = { nowMs: NOW_MS, own: NO_OWN_THINGS, rule: badRule };

const ALL = [
  antibody("hash", "12".repeat(32)),
  antibody("path", "/var/tmp/x"),
  antibody("domain", "pool.example.net"),
  antibody("address", "203.0.113.7"),
  antibody("address", "2001:db8::7"),
  antibody("port", "4444"),
  antibody("rule", RULE),
];

Deno.test("readAntibodySet() gives what writeAntibodySet() wrote, in one form", () => {
  const bytes = writeAntibodySet({ number: 7, antibodies: ALL });
  assertEquals(writeAntibodySet({ number: 7, antibodies: ALL.toReversed() }), bytes);
  const { number, antibodies, refused } = readAntibodySet(bytes, OPTIONS);
  assertEquals([number, antibodies.length, refused], [7, ALL.length, []]);
});

Deno.test("readAntibodySet() has the host's own lint as the last word", () => {
  const [first] = ALL;
  assert(first !== undefined);
  const bad = { ...antibody("path", "/usr/bin/bash"), action: "block" as const };
  const expired = { ...antibody("port", "4445"), expiresMs: NOW_MS };
  const bytes = writeAntibodySet({ number: 1, antibodies: [first, first, bad, expired] });
  const { antibodies, refused } = readAntibodySet(bytes, OPTIONS);
  assertEquals(antibodies, [first]);
  assertEquals(refused.map(({ message }) => message).sort(), [
    "It comes twice",
    "It has expired",
    "It is of the system",
  ]);
});

Deno.test("readAntibodySet() refuses what is no set, and answers for any bytes", () => {
  const many = JSON.stringify({ version: 1, number: 1, antibodies: Array(1025).fill(0) });
  assertEquals(ANTIBODIES_PER_SET_MAX, 1024);
  for (
    const text of [
      "",
      "null",
      "[]",
      "{}",
      '{"version":2,"number":1,"antibodies":[]}',
      '{"version":1,"number":-1,"antibodies":[]}',
      '{"version":1,"number":1,"antibodies":[],"code":"x"}',
      many,
      "x".repeat(1024 * 1024 + 1),
    ]
  ) assertThrows(() => readAntibodySet(new TextEncoder().encode(text), OPTIONS), ImmuneError);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.json(), (bytes, json) => {
    const whole = new TextEncoder().encode(`{"version":1,"number":1,"antibodies":[${json}]}`);
    assertEquals(readAntibodySet(whole, OPTIONS).antibodies, []);
    try {
      readAntibodySet(bytes, OPTIONS);
    } catch (error) {
      assert(error instanceof ImmuneError);
    }
  }));
});

Deno.test("indicatorsOf() and rulesOf() make of every antibody what finds it, under its id", () => {
  const indicators = indicatorsOf(ALL, NOW_MS);
  assertEquals(
    indicators.map((
      { type, value, source, id, expiresMs },
    ) => [type, value, source, id, expiresMs]),
    ALL.slice(0, 5).map(({ id, value, expiresMs }, at) => [
      ["sha256", "path", "domain", "ipv4", "ipv6"][at] ?? "",
      value,
      "herd",
      antibodyRuleId(id),
      expiresMs,
    ]),
  );
  const { rules, rejected } = compileRules(rulesOf(ALL));
  assertEquals(rejected, []);
  assertEquals(rules.map(({ id }) => id), ALL.slice(5).map(({ id }) => antibodyRuleId(id)));
});
