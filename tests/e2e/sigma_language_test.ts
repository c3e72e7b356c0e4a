// The words of the language, each judged by the engine on events.
import { assertEquals } from "@std/assert";
import { FlatMatcher } from "../../agent/pipeline/flat_matcher.ts";
import {
  compileRules,
  describeRejection,
  type JsonObject,
  type RuleOptions,
} from "../../common/sigma/mod.ts";
import { FIELDS_MAX } from "../../common/sigma/image_layout.ts";
import { Engine } from "../../wasm/engine/mod.ts";

const ENGINE = await Engine.create();

/** A test as YAML, an event, and whether it fires. */
type Case = readonly [test: string, event: JsonObject, fires: boolean];

function fires(detection: string, event: JsonObject, options: RuleOptions = {}): boolean {
  const text = `title: T\nlogsource: {}\ndetection:\n${detection}\n`;
  const set = compileRules([{ path: "t.yml", text }], options);
  assertEquals(set.rejected.map(describeRejection), []);
  return new FlatMatcher(ENGINE, set).match(event).rules.length === 1;
}

function judge(cases: readonly Case[], options: RuleOptions = {}): void {
  for (const [test, event, wanted] of cases) {
    const detection = `  s:\n    ${test}\n  condition: s`;
    assertEquals(fires(detection, event, options), wanted, `${test} ${JSON.stringify(event)}`);
  }
}

Deno.test("Sigma re: found anywhere, cased unless i, m and s as they say", () => {
  judge([
    ["A|re: 'b+c'", { A: "abbcd" }, true],
    ["A|re: 'b+c'", { A: "ABBCD" }, false],
    ["A|re|i: 'b+c'", { A: "ABBCD" }, true],
    ["A|re: '^b$'", { A: "a\nb\nc" }, false],
    ["A|re|m: '^b$'", { A: "a\nb\nc" }, true],
    ["A|re: 'a.b'", { A: "a\nb" }, false],
    ["A|re|s: 'a.b'", { A: "a\nb" }, true],
    ["A|re|startswith: 'b|c'", { A: "cab" }, true],
    ["A|re|startswith: 'b|c'", { A: "abc" }, false],
    ["A|re|endswith: 'b|c'", { A: "cab" }, true],
    ["A|re|endswith: 'b|c'", { A: "cba" }, false],
    ["A|re|all: ['a', 'b']", { A: "xbxa" }, true],
    ["A|re|all: ['a', 'b']", { A: "xbx" }, false],
    ["A|re: '\\\\d{2}'", { A: "x\\dd" }, true],
    ["A|re: 'a'", {}, false],
  ]);
});

Deno.test("Sigma cased: letters count as they are written", () => {
  judge([
    ["A|cased: aB", { A: "aB" }, true],
    ["A|cased: aB", { A: "ab" }, false],
    ["A|contains|cased: aB", { A: "xaBx" }, true],
    ["A|contains|cased: aB", { A: "xABx" }, false],
    ["A|cased|startswith: a*B", { A: "axxBx" }, true],
    ["A|cased|startswith: a*B", { A: "axxbx" }, false],
  ]);
});

Deno.test("Sigma cidr: addresses of both families in a network", () => {
  judge([
    ["A|cidr: 10.0.0.0/8", { A: "10.255.1.2" }, true],
    ["A|cidr: 10.0.0.0/8", { A: "11.0.0.1" }, false],
    ["A|cidr: 192.168.4.128/25", { A: "192.168.4.127" }, false],
    ["A|cidr: 192.168.4.128/25", { A: "192.168.4.200" }, true],
    ["A|cidr: [10.0.0.0/8, 'fe80::/10']", { A: "fe80::1" }, true],
    ["A|cidr: 'fe80::/10'", { A: "ff80::1" }, false],
    ["A|cidr: 127.0.0.1", { A: "127.0.0.1" }, true],
    ["A|cidr: 0.0.0.0/0", { A: "no address" }, false],
  ]);
});

Deno.test("Sigma base64, base64offset, utf16: what is encoded is found", () => {
  const utf16 = (text: string) => [...text].map((c) => `${c}\0`).join("");
  const cases: Case[] = [
    ["A|base64: http://", { A: btoa("http://") }, true],
    ["A|base64|contains: foobar", { A: `x ${btoa("foobar")} y` }, true],
    ["A|wide|base64|contains: foobar", { A: `-enc ${btoa(utf16("foobar"))}` }, true],
    ["A|utf16|base64: ab", { A: btoa("\xFF\xFEa\0b\0") }, true],
    ["A|utf16be|base64: ab", { A: btoa("\0a\0b") }, true],
    ["A|wide|contains: foo", { A: `x${utf16("foo")}x` }, true],
    ["A|wide|contains: foo", { A: "xfoox" }, false],
    ["A|base64|contains: 'b\\*r'", { A: btoa("b*r") }, true],
  ];
  for (const before of ["", "x", "xy", "xyz"]) {
    const given = btoa(`${before}curl http://`);
    cases.push(["A|base64offset|contains: 'curl http'", { A: given }, true]);
  }
  for (const before of ["", "x", "xy"]) {
    const given = btoa(`${before}\0${utf16("net user")}`);
    cases.push(["A|wide|base64offset|contains: 'net user'", { A: given }, true]);
  }
  cases.push(["A|base64offset|contains: 'curl http'", { A: btoa("wget http://") }, false]);
  judge(cases);
});

Deno.test("Sigma windash: a dash that begins an option is any dash", () => {
  const cases: Case[] = ["-", "/", "\u2013", "\u2014", "\u2015"].flatMap((dash): Case[] => [
    ["A|contains|windash: ' -f'", { A: `x ${dash}f` }, true],
    ["A|windash|contains: ' /f'", { A: `x ${dash}f` }, true],
    ["A|windash: '-a -b'", { A: `-a ${dash}b` }, true],
  ]);
  judge([
    ...cases,
    ["A|contains|windash: 'a-b'", { A: "a/b" }, false],
    ["A|contains|windash: ' -f'", { A: "x +f" }, false],
    ["A|contains|windash|all: [' -a', ' -b']", { A: "x /b /a" }, true],
  ]);
});

Deno.test("Sigma exists, neq, null and empty lists: fields that are there and are not", () => {
  judge([
    ["A|exists: true", { A: "" }, true],
    ["A|exists: true", {}, false],
    ["A|exists: false", {}, true],
    ["A|exists: false", { A: "x" }, false],
    ["A|neq: x", { A: "y" }, true],
    ["A|neq: x", { A: "X" }, false],
    ["A|neq: x", {}, true],
    ["A|neq: [x, y]", { A: "y" }, false],
    ["A|contains|neq: x", { A: "axb" }, false],
    ["A|contains|all|neq: [x, y]", { A: "x" }, true],
    ["A|contains|all|neq: [x, y]", { A: "xy" }, false],
    ["A|neq: 5", { A: 6 }, true],
    ["A|neq: null", { A: "x" }, true],
    ["A|neq: null", {}, false],
    ["A: []", {}, true],
    ["A: []", { A: "x" }, false],
    ["A: null", { A: null }, true],
  ]);
});

Deno.test("Sigma fieldref: a field against another one of the same event", () => {
  judge([
    ["A|fieldref: B", { A: "x", B: "X" }, true],
    ["A|fieldref: B", { A: "x", B: "y" }, false],
    ["A|fieldref: B", { A: "x" }, false],
    ["A|fieldref|cased: B", { A: "x", B: "X" }, false],
    ["A|fieldref|startswith: B", { A: "xyz", B: "xy" }, true],
    ["A|fieldref|endswith: B", { A: "xyz", B: "yz" }, true],
    ["A|fieldref|endswith: B", { A: "xyz", B: "xy" }, false],
    ["A|fieldref|contains: B", { A: "xyz", B: "y" }, true],
    ["A|fieldref|neq: B", { A: "x", B: "y" }, true],
    ["A|fieldref: [B, C]", { A: "x", B: "y", C: "x" }, true],
  ]);
});

Deno.test("Sigma lt, lte, gt, gte: numbers, and text that is one", () => {
  judge([
    ["A|gt: 5", { A: 6 }, true],
    ["A|gt: 5", { A: 5 }, false],
    ["A|gte: 5", { A: "5.0" }, true],
    ["A|lt: -1.5", { A: "-2" }, true],
    ["A|lte: 100", { A: "1e2" }, true],
    ["A|lt: 5", { A: "x" }, false],
    ["A|lt: 5", {}, false],
    ["A|gt: '10'", { A: 9 }, false],
  ]);
});

Deno.test("Sigma minute to year: parts of a time in UTC", () => {
  const event = { T: "2026-03-31T22:45:10Z" };
  judge([
    ["T|minute: 45", event, true],
    ["T|hour: 22", event, true],
    ["T|hour|gte: 22", event, true],
    ["T|hour|lt: 6", event, false],
    ["T|day: 31", event, true],
    ["T|week: 14", event, true],
    ["T|month: [2, 3]", event, true],
    ["T|year: 2026", event, true],
    ["T|year|neq: 2026", event, false],
    ["T|hour: 20", { T: "2026-03-31T22:45:10+02:00" }, true],
  ]);
});

Deno.test("Sigma expand: placeholders take their values, with wildcards", () => {
  const placeholders = new Map([["servers", ["srv*", "db-1"]], ["user", ["a.b"]]]);
  judge([
    ["A|expand: '%servers%'", { A: "srv-17" }, true],
    ["A|expand: '%servers%'", { A: "db-1" }, true],
    ["A|expand: '%servers%'", { A: "db-2" }, false],
    ["A|expand|contains: '%user%@'", { A: "xa.b@y" }, true],
    ["A|expand: '\\%servers%'", { A: "%servers%" }, true],
    ["A: '%servers%'", { A: "%servers%" }, true],
    ["A|re|expand: '^%user%$'", { A: "a.b" }, true],
    ["A|re|expand: '^%user%$'", { A: "axb" }, false],
  ], { placeholders });
});

Deno.test("Sigma keywords: any value of the event, lists, all, re", () => {
  const event = { message: "Failed PASSWORD for root", nested: { list: ["evil one", 4711] } };
  const cases: readonly (readonly [string, boolean])[] = [
    ["  s: [nothing, 'failed password']\n  condition: s", true],
    ["  s: EVIL\n  condition: s", true],
    ["  s: [4711]\n  condition: s", true],
    ["  s: ['fail*root']\n  condition: s", true],
    ["  s: [nothing]\n  condition: s", false],
    ["  s:\n    '|all': [evil, root]\n  condition: s", true],
    ["  s:\n    '|all': [evil, nothing]\n  condition: s", false],
    ["  s:\n    '|re': 'for (root|admin)'\n  condition: s", true],
    ["  s:\n    - evil\n    - message|endswith: root\n  condition: s", true],
    ["  s: [nested]\n  condition: s", false],
  ];
  for (const [detection, wanted] of cases) {
    assertEquals(fires(detection, event), wanted, detection);
  }
});

Deno.test("Sigma rules on as many fields as a set may have, each judged", () => {
  const rule = (i: number) =>
    `title: T\nid: t${i}\nlogsource: {}\ndetection: { s: { F${i}|contains: wxyz }, condition: s }\n`;
  const set = compileRules(
    Array.from({ length: FIELDS_MAX + 1 }, (_, i) => ({ path: `${i}.yml`, text: rule(i) })),
  );
  assertEquals(set.rejected.map(({ id, code }) => [id, code]), [
    [`t${FIELDS_MAX}`, "RULE_SET_TOO_LARGE"],
  ]);
  const flat = new FlatMatcher(ENGINE, set);
  for (const i of [0, 255, 256, FIELDS_MAX - 1]) {
    const { rules, truncated } = flat.match({ [`F${i}`]: "awxyzb", Other: "wxyz" });
    assertEquals([rules.map(({ id }) => id), truncated], [[`t${i}`], false]);
  }
});
