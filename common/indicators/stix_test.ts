import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { feedOf, problemsOf, valuesOf } from "./_feed_test_support.ts";
import { readPattern } from "./stix_pattern.ts";

const MD5 = "9e107d9d372bb6826bd81d3542a419d6";
const SHA256 = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592";

function values(pattern: string): string[] {
  return readPattern(pattern).values.map(({ type, value }) => `${type} ${value}`);
}

function leftOf(pattern: string): string {
  const { values, left } = readPattern(pattern);
  assertEquals(values, [], pattern);
  assertEquals(left.length, 1, pattern);
  return left[0] ?? "";
}

const READ: readonly [string, readonly string[]][] = [
  [`[file:hashes.'SHA-256' = '${SHA256}']`, [`sha256 ${SHA256}`]],
  [`[file:hashes.MD5='${MD5}']`, [`md5 ${MD5}`]],
  [`[ file:hashes.'MD5' = '${MD5}' AND file:hashes.'SHA-256' = '${SHA256}' ]`, [
    `md5 ${MD5}`,
    `sha256 ${SHA256}`,
  ]],
  [`[file:name = 'x.sh' AND file:hashes.MD5 = '${MD5}']`, [`md5 ${MD5}`]],
  ["[file:name = 'miner']", ["name miner"]],
  ["[file:name = '/tmp/miner']", ["path /tmp/miner"]],
  ["[file:parent_directory_ref.path = '/tmp/.x' AND file:name = 'm']", ["path /tmp/.x/m"]],
  ["[ipv4-addr:value = '192.0.2.1']", ["address 192.0.2.1"]],
  ["[ipv4-addr:value ISSUBSET '192.0.2.0/24']", ["address 192.0.2.0/24"]],
  ["[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]", ["address 192.0.2.1", "address 192.0.2.2"]],
  ["[ipv6-addr:value = '2001:db8::1' OR domain-name:value = 'a.example']", [
    "address 2001:db8::1",
    "domain a.example",
  ]],
  ["[network-traffic:dst_ref.value = '192.0.2.1']", ["address 192.0.2.1"]],
  ["[domain-name:value = 'a.example'] OR [url:value = 'http://b.example/x']", [
    "domain a.example",
    "url http://b.example/x",
  ]],
  ["([domain-name:value = 'a.example'] OR [domain-name:value = 'b.example'])", [
    "domain a.example",
    "domain b.example",
  ]],
  ["[(file:name = 'a' OR file:name = 'b')]", ["name a", "name b"]],
  [String.raw`[file:name = 'it\'s \\ odd']`, [String.raw`name it's \ odd`]],
  ["[\n\tfile:name\n=\n'a'\n]", ["name a"]],
];

for (const [pattern, wanted] of READ) {
  Deno.test(`readPattern() reads ${pattern}`, () => {
    assertEquals([values(pattern), readPattern(pattern).left], [[...wanted], []]);
  });
}

const LEFT: readonly [string, string][] = [
  ["[file:size = 12]", "file:size is no value that is listed"],
  ["[file:hashes.SSDEEP = '3:x:y']", "no value that is listed"],
  ["[file:name LIKE '%.exe']", "file:name LIKE names no single value"],
  ["[file:name MATCHES '^a$']", "names no single value"],
  ["[file:name != 'a']", "names no single value"],
  ["[file:name NOT = 'a']", "names no single value"],
  ["[NOT file:name = 'a']", "names no single value"],
  ["[EXISTS file:name]", "asks for no value"],
  [
    "[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 4444]",
    "more than one",
  ],
  ["[file:name = 'a'] FOLLOWEDBY [file:name = 'b']", "two events"],
  ["[file:name = 'a'] AND [file:name = 'b']", "more than one"],
  ["[file:name = 'a'] WITHIN 300 SECONDS", '"WITHIN" asks for more than one event'],
  ["[file:name = 'a'] REPEATS 5 TIMES", "REPEATS"],
  ["[file:name = 'a'] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'", "START"],
  ["", "ends too early"],
  ["[", "ends too early"],
  ["[file:name = 'a'", "ends too early"],
  ["[file:name = 'a]", "cannot be read at character"],
  ["[file:name = ]", "not expected"],
  ["[name = 'a']", "not expected"],
  ["[file:name = 'a'] 'b'", "not expected"],
  ["[file:name = 'a';]", "cannot be read at character 17"],
  [`[${"(".repeat(100)}file:name = 'a'${")".repeat(100)}]`, "nested deeper than 32"],
  [`[${"file:name = 'a' OR ".repeat(5000)}file:name = 'b']`, "over"],
  [`[file:name = '${"x".repeat(70_000)}']`, "over 65536 characters"],
];

for (const [pattern, why] of LEFT) {
  Deno.test(`readPattern() names why it leaves out ${pattern.slice(0, 60)}`, () => {
    assertStringIncludes(leftOf(pattern), why);
  });
}

Deno.test("readPattern() lists the parts of an OR that it understands, and names the others", () => {
  const { values, left } = readPattern("[file:size = 3 OR file:name = 'a' OR file:name LIKE 'b%']");
  assertEquals([values.length, left.length], [1, 2]);
});

Deno.test("readPattern() answers for any text", () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 10 }),
    fc.constantFrom(
      "[",
      "]",
      "(",
      ")",
      "file:name",
      "=",
      "'a'",
      " AND ",
      " OR ",
      "NOT ",
      "IN ",
      "\\",
      "'",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const { values, left } = readPattern(pieces.join(""));
      assert(values.length + left.length > 0);
    }),
    { numRuns: 2000 },
  );
});

const BUNDLE = {
  type: "bundle",
  id: "bundle--1",
  objects: [
    { type: "identity", id: "identity--1", name: "Example CERT", identity_class: "organization" },
    {
      type: "indicator",
      spec_version: "2.1",
      id: "indicator--1",
      created_by_ref: "identity--1",
      name: "Miner",
      labels: ["malicious-activity"],
      indicator_types: ["compromised"],
      confidence: 85,
      pattern: `[file:hashes.'SHA-256' = '${SHA256}' OR file:name LIKE '%x']`,
      pattern_type: "stix",
      valid_from: "2025-12-01T00:00:00.000Z",
      valid_until: "2026-03-01T00:00:00Z",
    },
    { type: "indicator", id: "indicator--2", pattern: "alert tcp", pattern_type: "snort" },
    { type: "indicator", id: "indicator--3", created_by_ref: "identity--1", revoked: true },
    { type: "indicator", id: "indicator--4", pattern_type: "stix" },
    { type: "indicator", id: "indicator--5", pattern: "[file:name = 'a']", valid_until: "never" },
    { type: "indicator", id: "indicator--6", pattern: "[ipv4-addr:value = '192.0.2.999']" },
    { type: "sighting", sighting_of_ref: "indicator--1", count: 40 },
    { type: "sighting", sighting_of_ref: "indicator--1" },
    { type: "malware", name: "M" },
    7,
  ],
};

Deno.test("readStix() reads a bundle, names what it does not understand, counts the rest", async () => {
  const feed = await feedOf(BUNDLE);
  assertEquals(feed.format, "stix");
  assertEquals(feed.indicators.map(({ listedMs: _, ...rest }) => rest), [{
    type: "sha256",
    value: SHA256,
    source: "Example CERT",
    id: "indicator--1",
    title: "Miner",
    severity: "high",
    confidence: 85,
    labels: ["malicious-activity", "compromised"],
    firstSeenMs: Date.parse("2025-12-01T00:00:00Z"),
    expiresMs: Date.parse("2026-03-01T00:00:00Z"),
    sightings: 41,
  }]);
  assertEquals(feed.withdrawn, [{ source: "Example CERT", id: "indicator--3" }]);
  assertEquals([...feed.skipped], [
    ["identity is no indicator", 1],
    ["sighting is no indicator", 2],
    ["malware is no indicator", 1],
  ]);
  assertEquals(problemsOf(feed).map((text) => text.slice(0, 52)), [
    "objects[1]: A part of its pattern is left out: file:",
    "objects[2]: Its pattern is snort, not stix",
    "objects[4]: It has no pattern",
    "objects[5]: Its valid_until is no time",
    'objects[6]: Cannot list "192.0.2.999": it is no netw',
    "objects[10]: It is no object",
  ]);
});

Deno.test("readStix() reads a TAXII envelope and a list of objects", async () => {
  const objects = [{
    type: "indicator",
    spec_version: "2.1",
    id: "indicator--1",
    pattern: "[domain-name:value = 'evil.example']",
    pattern_type: "stix",
  }];
  for (const document of [{ more: false, objects }, objects]) {
    const feed = await feedOf(document);
    assertEquals([feed.format, valuesOf(feed)], ["stix", ["domain evil.example"]]);
  }
});
