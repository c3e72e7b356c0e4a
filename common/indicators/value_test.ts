import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { NOW_MS, TYPED } from "./_indicators_test_support.ts";
import { parseAddress } from "./address.ts";
import { hostOfUrl } from "./domain.ts";
import { makeIndicator } from "./indicator.ts";
import { canonicalValue, hashType, type IndicatorType, isKey, keyOf, valueOfKey } from "./value.ts";

function form(type: IndicatorType, text: string): string {
  const canonical = canonicalValue(type, text);
  return canonical.ok ? canonical.value : `refused: ${canonical.why}`;
}

const FORMS: readonly [IndicatorType, string, string][] = [
  ["md5", " 9E107D9D372BB6826BD81D3542A419D6 ", "9e107d9d372bb6826bd81d3542a419d6"],
  ["path", "/tmp//a/./b/../c", "/tmp/a/c"],
  ["path", "/../etc/x", "/etc/x"],
  ["path", "/tmp/with space", "/tmp/with space"],
  ["name", "xmrig", "xmrig"],
  ["ipv4", "192.0.2.1", "192.0.2.1"],
  ["ipv4", "192.0.2[.]1", "192.0.2.1"],
  ["ipv4", "192.0.2.0/24", "192.0.2.0/24"],
  ["ipv4", "192.0.2.1/32", "192.0.2.1"],
  ["ipv4", "::ffff:192.0.2.1", "192.0.2.1"],
  ["ipv4", "::ffff:192.0.2.0/120", "192.0.2.0/24"],
  ["ipv6", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["ipv6", "[2001:db8::1]", "2001:db8::1"],
  ["ipv6", "2001:db8::/32", "2001:db8::/32"],
  ["domain", "C2.Example.", "c2.example"],
  ["domain", "c2[.]evil(.)example", "c2.evil.example"],
  ["domain", "*.evil.example", "*.evil.example"],
  ["domain", "bücher.example", "xn--bcher-kva.example"],
  ["domain", "_dmarc.evil.example", "_dmarc.evil.example"],
  ["url", "hxxps://Evil.example/a?b#c", "https://evil.example/a?b"],
  ["url", "http://evil[.]example", "http://evil.example/"],
];

for (const [type, text, value] of FORMS) {
  Deno.test(`canonicalValue() brings ${type} ${JSON.stringify(text)} into its form`, () => {
    assertEquals(form(type, text), value);
  });
}

const REFUSED: readonly [IndicatorType, string, string][] = [
  ["md5", "9e107d9d", "32 hexadecimal digits"],
  ["sha256", "z".repeat(64), "64 hexadecimal digits"],
  ["md5", "d41d8cd98f00b204e9800998ecf8427e", "every empty file"],
  ["sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "every empty"],
  ["path", "tmp/x", "no absolute path"],
  ["path", "C:\\x", "no absolute path"],
  ["path", "/tmp/", "a folder"],
  ["path", "/..//.", "a folder"],
  ["path", "/a\0b", "control characters"],
  ["path", "/a\ufffdb", "no UTF-8"],
  ["path", `/${"a/".repeat(3000)}b`, "over 4095 bytes"],
  ["path", `/${"é".repeat(2048)}`, "over 4095 bytes"],
  ["name", "a/b", "no name"],
  ["name", "..", "no name"],
  ["name", "x".repeat(256), "over 255 bytes"],
  ["ipv4", "192.0.2.256", "no network"],
  ["ipv4", "192.0.2.01", "leading 0"],
  ["ipv4", "010.0.0.1", "leading 0"],
  ["ipv4", "192.0.2", "no network"],
  ["ipv4", "2001:db8::1", "no ipv4"],
  ["ipv4", "192.0.2.1/24", "bits set behind its prefix"],
  ["ipv4", "0.0.0.0/0", "a share of all addresses"],
  ["ipv4", "evil.example", "no address"],
  ["ipv6", "2000::/8", "a share of all addresses"],
  ["ipv6", "192.0.2.1", "no ipv6"],
  ["domain", "localhost", "no dot"],
  ["domain", "192.0.2.1", "an address"],
  ["domain", "a..b", "no domain"],
  ["domain", "-a.example", "no domain"],
  ["domain", `${"a".repeat(64)}.example`, "no domain"],
  ["domain", `${"a.".repeat(200)}example`, "over 253 bytes"],
  ["domain", "a.example/path", "no domain"],
  ["domain", "*.*.example", "no domain"],
  ["url", "evil.example/x", "no URL"],
  ["url", "http://", "no URL"],
  ["url", `http://a.example/${"x".repeat(3000)}`, "over 2048 bytes"],
];

for (const [type, text, why] of REFUSED) {
  Deno.test(`canonicalValue() refuses ${type} ${JSON.stringify(text.slice(0, 40))}`, () => {
    assertStringIncludes(form(type, text), why);
  });
}

Deno.test("canonicalValue() has one form: its own form stays, and its key gives it back", () => {
  fc.assert(
    fc.property(TYPED, ({ type, value }) => {
      const canonical = canonicalValue(type, value);
      if (!canonical.ok) return;
      assertEquals(form(type, canonical.value), canonical.value);
      const key = keyOf(type, canonical.value);
      assert(isKey(type, key));
      assertEquals(valueOfKey(type, key), canonical.value);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("canonicalValue() takes most of what each type's feeds write", () => {
  const taken = new Map<IndicatorType, number>();
  fc.assert(
    fc.property(TYPED, ({ type, value }) => {
      if (canonicalValue(type, value).ok) taken.set(type, (taken.get(type) ?? 0) + 1);
    }),
    { numRuns: 1000 },
  );
  assertEquals(taken.size, 9);
});

Deno.test("canonicalValue() answers for any text, in time that its length bounds", () => {
  const types = fc.constantFrom<IndicatorType>(
    "md5",
    "path",
    "name",
    "ipv4",
    "ipv6",
    "domain",
    "url",
  );
  fc.assert(
    fc.property(types, fc.string({ maxLength: 300, unit: "binary" }), (type, text) => {
      canonicalValue(type, text);
      makeIndicator(
        { type, value: text, source: text, id: text, title: text, labels: [text] },
        NOW_MS,
      );
    }),
    { numRuns: 1000 },
  );
  const long = "a.".repeat(5_000_000);
  for (const type of ["md5", "name", "ipv4", "domain", "url"] as const) {
    assert(!canonicalValue(type, long).ok);
  }
  assert(!canonicalValue("path", `/${long}`).ok);
});

Deno.test("makeIndicator() keeps texts within their bounds and on one line", () => {
  const made = makeIndicator({
    type: "path",
    value: "/tmp/x",
    source: " feed ",
    title: `a\n\x1b[2J${"é".repeat(500)}`,
    labels: ["x", "x", "", "y\nz", ...Array.from({ length: 40 }, (_, i) => `l${i}`)],
    confidence: 101,
    sightings: -3,
    expiresMs: 1e18,
    firstSeenMs: NaN,
  }, NOW_MS);
  if (typeof made === "string") throw new Error(made);
  assertEquals([made.source, made.id], ["feed", "path:/tmp/x"]);
  assert(new TextEncoder().encode(made.title).length <= 200 && made.title.startsWith("a [2J"));
  assertEquals(made.labels.slice(0, 3), ["x", "y z", "l0"]);
  assertEquals([made.labels.length, made.sightings, made.firstSeenMs], [16, 0, 0]);
  assertEquals([made.confidence, made.expiresMs], [undefined, undefined]);
});

Deno.test("makeIndicator() refuses a source without a name and an id without end", () => {
  const listed = { type: "path", value: "/tmp/x", source: "feed" } as const;
  for (const source of ["", " ", "x".repeat(65)]) {
    assertStringIncludes(String(makeIndicator({ ...listed, source }, NOW_MS)), "source");
  }
  assertStringIncludes(String(makeIndicator({ ...listed, id: "x".repeat(201) }, NOW_MS)), "id");
});

Deno.test("parseAddress() and hashType() tell what a bare value is", () => {
  assertEquals(parseAddress("2001:DB8::1"), { type: "ipv6", value: "2001:db8::1" });
  assertEquals(
    ["a", "a".repeat(32), "A".repeat(40), "0".repeat(64), "0".repeat(63)].map(hashType),
    [
      undefined,
      "md5",
      "sha1",
      "sha256",
      undefined,
    ],
  );
});

Deno.test("hostOfUrl() tells the host, and whether there is more", () => {
  assertEquals(hostOfUrl("hxxp://Evil[.]example:8080"), { host: "evil.example", isAll: true });
  assertEquals(hostOfUrl("http://[2001:db8::1]/x.sh"), { host: "2001:db8::1", isAll: false });
  assertEquals(hostOfUrl("evil.example"), undefined);
});
