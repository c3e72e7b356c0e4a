import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TIME_PARTS } from "../../common/sigma/image_layout.ts";
import { Core } from "./core.ts";

const core = await Core.create();
const NETWORK_AT = core.images[0].byteOffset;
const NUMBER_AT = core.images[1].byteOffset;

function put(text: string): number {
  return core.put(text);
}

function numberOf(text: string): number | undefined {
  const length = put(text);
  if (core.exports.parse_number_at(core.text, length, NUMBER_AT) === 0) return undefined;
  return core.view.getFloat64(NUMBER_AT, true);
}

function partOf(text: string, part: keyof typeof TIME_PARTS): number {
  const length = put(text);
  return core.exports.time_part(core.text, length, TIME_PARTS[part]);
}

function isIn(address: string, network: readonly number[], prefix: number): boolean {
  core.memory.set([network.length, prefix, ...network], NETWORK_AT);
  const length = put(address);
  return core.exports.in_network(NETWORK_AT, core.text, length) !== 0;
}

Deno.test("parse_number_at() reads what a decimal number can look like, and nothing else", () => {
  for (
    const text of ["0", "-1", "+7", "65535", "4294967296", "1.5", ".5", "-0.25", "1e3", "2E-2"]
  ) {
    assertEquals(numberOf(text), Number(text), text);
  }
  for (const text of ["", "-", ".", "1.", "e3", "1e", "1 ", " 1", "0x10", "1,5", "NaN", "1e+"]) {
    assertEquals(numberOf(text), undefined, text);
  }
});

Deno.test("parse_number_at() agrees with the platform on whole numbers up to 2^53", () => {
  fc.assert(fc.property(fc.maxSafeInteger(), (n) => assertEquals(numberOf(String(n)), n)));
});

Deno.test("parse_number_at() is exact up to 15 digits, then within one part in 10^12", () => {
  fc.assert(fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.nat(9), (n, scale) => {
    const text = (n / 10 ** scale).toFixed(scale);
    assertEquals(numberOf(text), Number(text), text);
  }));
  fc.assert(fc.property(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), (n) => {
    const found = numberOf(String(n));
    assert(found !== undefined, String(n));
    assert(Math.abs(found - n) <= Math.abs(n) * 1e-12 || Math.abs(n) < 1e-290, `${n} as ${found}`);
  }));
});

Deno.test("time_part() agrees with the platform's calendar in UTC", () => {
  const time = fc.date({
    min: new Date("1583-01-01T00:00:00Z"),
    max: new Date("2999-12-31T23:59:59Z"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(time, (date) => {
    const text = date.toISOString();
    assertEquals(partOf(text, "minute"), date.getUTCMinutes());
    assertEquals(partOf(text, "hour"), date.getUTCHours());
    assertEquals(partOf(text, "day"), date.getUTCDate());
    assertEquals(partOf(text, "month"), date.getUTCMonth() + 1);
    assertEquals(partOf(text, "year"), date.getUTCFullYear());
    assertEquals(partOf(text, "week"), isoWeek(date));
  }));
});

/** Week of ISO 8601, by counting from the week that has 4 January. */
function isoWeek(date: Date): number {
  const DAY = 86_400_000;
  const midnight = Math.floor(date.getTime() / DAY) * DAY;
  const monday = (ms: number): number => ms - (new Date(ms).getUTCDay() + 6) % 7 * DAY;
  const first = (year: number): number => monday(Date.UTC(year, 0, 4));
  const here = monday(midnight);
  const year = date.getUTCFullYear();
  const start = [year + 1, year, year - 1].map(first).find((each) => each <= here) ?? 0;
  return (here - start) / (7 * DAY) + 1;
}

Deno.test("time_part() takes offsets, a space, a bare date, seconds and milliseconds", () => {
  assertEquals(partOf("2026-03-01T01:30:00+02:00", "hour"), 23);
  assertEquals(partOf("2026-03-01T01:30:00+0200", "day"), 28);
  assertEquals(partOf("2026-03-01 23:59:59.123456789-01:00", "month"), 3);
  assertEquals(partOf("2026-03-01", "year"), 2026);
  assertEquals(partOf("1767225600", "year"), 2026);
  assertEquals(partOf("1767225599999", "year"), 2025);
});

Deno.test("time_part() is -1 for what tells no time", () => {
  for (
    const text of ["", "now", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01T10:00x"]
  ) {
    assertEquals(partOf(text, "year"), -1, text);
  }
});

const IPV4 = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });

Deno.test("in_network() agrees with a bit by bit oracle, IPv4", () => {
  fc.assert(
    fc.property(IPV4, IPV4, fc.integer({ min: 0, max: 32 }), fc.boolean(), (a, b, prefix, near) => {
      const network = near ? a.map((byte, i) => i < 2 ? byte : b[i] ?? 0) : b;
      const bits = (bytes: readonly number[]) =>
        bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("").slice(0, prefix);
      assertEquals(isIn(a.join("."), network, prefix), bits(a) === bits(network));
      assertEquals(isIn(`::ffff:${a.join(".")}`, network, prefix), bits(a) === bits(network));
    }),
  );
});

Deno.test("in_network() reads every way of writing an IPv6 address", () => {
  const network = [0x20, 0x01, 0x0D, 0xB8, ...Array(11).fill(0), 0x01];
  for (const text of ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8::0.0.0.1"]) {
    assert(isIn(text, network, 128), text);
  }
  assert(isIn("::", Array(16).fill(0), 128) && isIn("::1", Array(16).fill(0), 127));
  assert(isIn("2001:db8:ffff::", network, 32) && !isIn("2001:db9::", network, 32));
});

Deno.test("in_network() is false for what is no address, and for the other family", () => {
  const all = [0, 0, 0, 0];
  for (
    const text of [
      "",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "256.1.1.1",
      "1.2.3.4 ",
      "a.b.c.d",
      "::1",
      "1..2.3",
    ]
  ) {
    assert(!isIn(text, all, 0), text);
  }
  const any = Array<number>(16).fill(0);
  for (
    const text of [":", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::g"]
  ) {
    assert(!isIn(text, any, 0), text);
  }
});
