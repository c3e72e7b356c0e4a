import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { feedOf, problemsOf, valuesOf } from "./_feed_test_support.ts";
import { NOW_MS } from "./_indicators_test_support.ts";

const MD5 = "9e107d9d372bb6826bd81d3542a419d6";
const SHA256 = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592";

Deno.test("readCsv() reads a table with all that a header may name", async () => {
  const feed = await feedOf(
    "type,value,source,id,title,severity,confidence,tags,first_seen,expires,sightings\n" +
      'domain,"C2[.]Example",our feed,7,"Says ""hello"", twice",critical,80%,"a b;c",' +
      "2025-12-01 10:00:00,2026-02-01T00:00:00+02:00,12\n",
  );
  assertEquals([feed.format, problemsOf(feed)], ["csv", []]);
  assertEquals(feed.indicators, [{
    type: "domain",
    value: "c2.example",
    source: "our feed",
    id: "7",
    title: 'Says "hello", twice',
    severity: "critical",
    confidence: 80,
    labels: ["a", "b", "c"],
    firstSeenMs: Date.parse("2025-12-01T10:00:00Z"),
    listedMs: NOW_MS,
    expiresMs: Date.parse("2026-01-31T22:00:00Z"),
    sightings: 12,
  }]);
});

Deno.test("readCsv() reads a bare list of values, whatever they are", async () => {
  const lines = [
    "# our list",
    MD5.toUpperCase(),
    "192.0.2.1",
    "198.51.100.0/24",
    "192.0.2.9:8080",
    "[2001:db8::1]:443",
    "2001:db8::2",
    "evil.example",
    "*.evil.example",
    "hxxp://evil[.]example/x.sh",
    "http://just-a-host.example",
    "/tmp/.x/m",
    "",
  ];
  const feed = await feedOf(`\ufeff${lines.join("\r\n")}`);
  assertEquals(valuesOf(feed), [
    `md5 ${MD5}`,
    "ipv4 192.0.2.1",
    "ipv4 198.51.100.0/24",
    "ipv4 192.0.2.9",
    "ipv6 2001:db8::1",
    "ipv6 2001:db8::2",
    "domain evil.example",
    "domain *.evil.example",
    "url http://evil.example/x.sh",
    "domain just-a-host.example",
    "path /tmp/.x/m",
  ]);
  assertEquals(new Set(feed.indicators.map(({ source }) => source)), new Set(["file"]));
});

Deno.test("readCsv() finds the header in the last comment, and quotes behind blanks", async () => {
  const feed = await feedOf(
    "################\n# Recent indicators (UTC) #\n" +
      '# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","malware_printable",' +
      '"confidence_level","tags"\n################\n' +
      '"2025-12-31 23:00:00", "17", "192.0.2.7:4444", "ip:port", "botnet_cc", "Mirai", "75", "a,b"\n' +
      `"2025-12-31 22:00:00", "18", "${SHA256}", "sha256_hash", "payload", "Mirai", "100", ""\n`,
  );
  assertEquals(problemsOf(feed), []);
  assertEquals(valuesOf(feed), ["ipv4 192.0.2.7", `sha256 ${SHA256}`]);
  const [first] = feed.indicators;
  assertEquals([first?.id, first?.title, first?.confidence], ["17", "Mirai", 75]);
});

Deno.test("readCsv() lists the hashes of a file, not the name that others have too", async () => {
  const feed = await feedOf(
    "first_seen_utc;sha256_hash;md5_hash;file_name;signature\n" +
      `2025-12-31 10:00:00;${SHA256};${MD5};invoice.exe;Miner\n` +
      "2025-12-31 10:00:00;n/a;;dropper.sh;Miner\n",
  );
  assertEquals(valuesOf(feed), [`sha256 ${SHA256}`, `md5 ${MD5}`, "name dropper.sh"]);
  assertEquals(feed.indicators.map(({ severity }) => severity), ["high", "high", "medium"]);
});

Deno.test("readCsv() reads a MISP export and leaves out what is not for detection", async () => {
  const feed = await feedOf(
    "uuid,event_id,category,type,value,comment,to_ids,date\n" +
      '"u1","1","Network activity","ip-dst|port","192.0.2.1|443","c2",1,"1767222000"\n' +
      `"u2","1","Payload delivery","filename|sha256","a.bin|${SHA256}","",1,"1767222000"\n` +
      '"u3","1","Network activity","domain","ok.example","",0,"1767222000"\n' +
      '"u4","1","Other","yara","rule x {}","",1,"1767222000"\n',
  );
  assertEquals(valuesOf(feed), ["ipv4 192.0.2.1", `sha256 ${SHA256}`]);
  assertEquals([...feed.skipped], [["to_ids is not set", 1]]);
  assertEquals(problemsOf(feed), ['line 5: Its type "yara" is none that is listed']);
});

Deno.test("readCsv() names each line that cannot be listed; the others are", async () => {
  const feed = await feedOf(
    [
      "value,expires",
      "192.0.2.1,",
      "not a value,",
      "192.0.2.300,",
      'open "quote,',
      '"open quote,',
      "192.0.2.2,sometime",
      "/tmp/\x01,",
      `${"x,".repeat(300)}`,
      "y".repeat(70_000),
      ",",
      "192.0.2.3,2026-01-02",
    ].join("\n"),
  );
  assertEquals(valuesOf(feed), ["ipv4 192.0.2.1", "ipv4 192.0.2.3"]);
  assertEquals(feed.problemCount, 9);
  const named = problemsOf(feed);
  const wanted: [number, string][] = [
    [3, "no hash, address"],
    [4, "no hash, address"],
    [5, "no hash, address"],
    [6, "quote that does not end"],
    [7, 'expiry "sometime" is no time'],
    [8, "control characters"],
    [9, "too many fields"],
    [10, "longer than 65536 bytes"],
    [11, "no value"],
  ];
  wanted.forEach(([line, why], i) => {
    assertStringIncludes(named[i] ?? "", `line ${line}: `);
    assertStringIncludes(named[i] ?? "", why);
  });
});

Deno.test("readCsv() refuses bytes that are no UTF-8 by line, and loads the others", async () => {
  const bytes = new Uint8Array([...new TextEncoder().encode("/tmp/a\n/tmp/"), 0xff, 0xfe, 10]);
  const text = new TextDecoder("latin1").decode(bytes);
  assertEquals(text.length, bytes.length);
  const { readFeed } = await import("./read.ts");
  const { chunksOf } = await import("./_feed_test_support.ts");
  const feed = await readFeed(chunksOf(bytes), { nowMs: NOW_MS, name: "file" });
  assertEquals(valuesOf(feed), ["path /tmp/a"]);
  assertStringIncludes(problemsOf(feed)[0] ?? "", "no UTF-8");
});

Deno.test("readCsv() lists hosts of URLs when it is told to, and expiry where none is given", async () => {
  const options = {
    urlHosts: true,
    expiresMs: NOW_MS + 1000,
    source: "told",
    severity: "low",
  } as const;
  const feed = await feedOf("url\nhttp://192.0.2.1/a\nhttp://evil.example/b\n", options);
  assertEquals(valuesOf(feed), [
    "ipv4 192.0.2.1",
    "url http://192.0.2.1/a",
    "domain evil.example",
    "url http://evil.example/b",
  ]);
  for (const { source, severity, expiresMs } of feed.indicators) {
    assertEquals([source, severity, expiresMs], ["told", "low", NOW_MS + 1000]);
  }
});

Deno.test("readCsv() takes any text, and names or lists each line of it", async () => {
  const cell = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('"', '""', ",", "value", "type", MD5, "192.0.2.1", "#", " ", "\t", ";"),
  );
  const line = fc.array(cell, { maxLength: 6 }).map((cells) =>
    cells.join(",").replaceAll(/[\r\n]/g, "")
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
      const feed = await feedOf(lines.join("\n"), { format: "csv" });
      assert(feed.problemCount <= lines.length * 3);
      assert(feed.indicators.length <= lines.length * 6);
    }),
    { numRuns: 300 },
  );
});

Deno.test("readCsv() reads back every value that it is given in quotes", async () => {
  const text = fc.stringMatching(/^[ -~é漢]{1,30}$/).filter((t) =>
    t.trim() === t && !t.includes("/") && !/^\.{1,2}$/.test(t)
  );
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 10 }), async (names) => {
      const rows = names.map((name) => `filename,"${name.replaceAll('"', '""')}"`);
      const feed = await feedOf(`type,value\n${rows.join("\n")}`, { format: "csv" });
      assertEquals(problemsOf(feed), []);
      assertEquals(feed.indicators.map(({ value }) => value), names);
    }),
  );
});
