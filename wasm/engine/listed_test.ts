import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { keyOf } from "../../common/indicators/value.ts";
import { networkKey } from "../../common/sigma/cidr.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { BloomFilter } from "./bloom.ts";
import { Engine } from "./engine.ts";
import { askListed, type ListedAsks, NO_ASKS, RULE_LISTED } from "./listed.ts";

const engine = await Engine.create();
const builder = await Engine.create();
const UTF8 = new TextEncoder();

/** Puts keys in force. */
function list(keys: readonly (Uint8Array | string)[], asks: Partial<ListedAsks>): void {
  const filter = new BloomFilter(builder, { items: Math.max(keys.length, 1), rate: 1e-6 });
  for (const key of keys) filter.add(key);
  askListed(engine, filter.save(), { ...NO_ASKS, ...asks });
}

/** Whether a scan of one record says that something of it may be listed. */
function isMaybe(record: Uint8Array): boolean {
  engine.batch.set(record);
  const hits = engine.scan(record.length);
  assert(hits.every(({ rule, offset }) => rule === RULE_LISTED && offset === 0));
  return hits.length === 1;
}

function exec(image: string, fileName = image): Uint8Array {
  return encodeRecord("exec", {
    header: { pid: 7, start_time_ns: 1n },
    slots: { image, argv: "x\0", file_name: fileName },
  });
}

function open(path: string, openedAs?: string): Uint8Array {
  const slots = openedAs === undefined ? { path } : { path, opened_as: openedAs };
  return encodeRecord("open", { header: { pid: 7 }, slots });
}

function connect(address: readonly number[], family = address.length === 4 ? 2 : 10): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(address);
  return encodeRecord("connect", { header: { pid: 7 }, body: { family, address: bytes, port: 1 } });
}

Deno.test("a scan tells an exec of a listed path, by its image or by what was asked for", () => {
  list(["/tmp/m", "/tmp/s.sh"], { paths: true });
  assertEquals(
    ["/tmp/m", "/tmp/M", "/tmp/m2", "/tmp", "m"].map((path) => isMaybe(exec(path))),
    [true, false, false, false, false],
  );
  assert(isMaybe(exec("/usr/bin/bash", "/tmp/s.sh")));
  assert(!isMaybe(exec("/usr/bin/bash", "s.sh")));
  assert(isMaybe(open("/tmp/m")) && !isMaybe(open("/tmp/m/x")));
});

Deno.test("a scan tells an open of a watched file by a listed name of it", () => {
  list(["evil.bin"], { names: true });
  assert(isMaybe(open("/etc/file", "/tmp/evil.bin")));
  assert(!isMaybe(open("/etc/file", "/tmp/other")) && !isMaybe(open("/etc/file")));
});

Deno.test("a scan tells a listed hash of a program or file", () => {
  const digest = new Uint8Array(32).fill(7);
  const hash = (sha256: Uint8Array) =>
    encodeRecord("image_hash", { header: { pid: 7 }, slots: { path: "/x", sha256 } });
  list([digest], { sha256: true });
  assert(isMaybe(hash(digest)) && !isMaybe(hash(new Uint8Array(32).fill(8))));
  list([digest], { paths: true });
  assert(!isMaybe(hash(digest)));
});

Deno.test("a scan tells a listed name in any folder", () => {
  list(["m"], { names: true });
  assertEquals(
    ["/tmp/m", "/m", "/tmp/m/x", "/tmp/xm", "/tmp/m/"].map((path) => isMaybe(open(path))),
    [true, true, false, false, false],
  );
  assert(isMaybe(exec("/usr/bin/bash", "./m")));
});

Deno.test("a scan tells a connect to a listed address, or into a listed network", () => {
  list([keyOf("ipv4", "192.0.2.1"), keyOf("ipv4", "198.51.100.0/22")], { ipv4Prefixes: [32, 22] });
  const wanted: readonly [readonly number[], boolean][] = [
    [[192, 0, 2, 1], true],
    [[192, 0, 2, 2], false],
    [[198, 51, 100, 0], true],
    [[198, 51, 103, 255], true],
    [[198, 51, 104, 0], false],
    [[192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false],
  ];
  for (const [address, is] of wanted) assertEquals(isMaybe(connect(address)), is, `${address}`);
  assert(!isMaybe(connect([192, 0, 2, 1], 1)));
  assert(
    !isMaybe(encodeRecord("bind", {
      header: {},
      body: { family: 2, address: new Uint8Array([192, 0, 2, 1, ...new Uint8Array(12)]) },
    })),
  );
});

function dns(name: string, isAnswer = 0): Uint8Array {
  const header = { pid: 7 };
  return encodeRecord("dns", { header, body: { is_answer: isAnswer }, slots: { name } });
}

Deno.test("a scan tells a question for a listed domain, or for one below, and no answer", () => {
  list(["evil.example", "*.bad.example"], { domains: true, below: true });
  const wanted: readonly [string, boolean][] = [
    ["evil.example", true],
    ["x.evil.example", false],
    ["a.bad.example", true],
    ["a.b.bad.example", true],
    ["bad.example", false],
    ["abad.example", false],
    ["", false],
    [`${"a.".repeat(200)}bad.example`, false],
  ];
  for (const [name, is] of wanted) assertEquals(isMaybe(dns(name)), is, name);
  assert(!isMaybe(dns("evil.example", 1)));
  list(["evil.example", "*.bad.example"], { domains: true });
  assert(isMaybe(dns("evil.example")) && !isMaybe(dns("a.bad.example")));
});

Deno.test("a scan tells an accept from a listed address", () => {
  list([keyOf("ipv4", "192.0.2.1")], { ipv4Prefixes: [32] });
  const accept = (last: number): Uint8Array =>
    encodeRecord("accept", {
      header: { pid: 7 },
      body: {
        family: 2,
        address: Uint8Array.from([192, 0, 2, 9, ...new Uint8Array(12)]),
        peer_address: Uint8Array.from([192, 0, 2, last, ...new Uint8Array(12)]),
      },
    });
  assertEquals([isMaybe(accept(1)), isMaybe(accept(9))], [true, false]);
});

Deno.test("a scan finds every network that holds an address, of both families and any prefix", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(address, fc.nat(), fc.nat(), (bytes, seed, flip) => {
      const bits = bytes.length * 8;
      const prefix = 1 + seed % bits;
      const family = bytes.length === 4 ? "ipv4Prefixes" : "ipv6Prefixes";
      list([networkKey({ address: bytes, prefix })], { [family]: [prefix, bits] });
      assert(isMaybe(connect([...bytes])));
      const other = bytes.slice();
      const place = flip % bits;
      other[place >> 3] = (other[place >> 3] ?? 0) ^ (0x80 >> (place & 7));
      assertEquals(isMaybe(connect([...other])), place >= prefix);
    }),
    { numRuns: 500 },
  );
});

Deno.test("a scan never passes over a path that is listed, among thousands", () => {
  const paths = fc.array(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Uint8Array.from([47, ...bytes])),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(fc.property(paths, (listed) => {
    list(listed, { paths: true });
    for (const path of listed) {
      const record = encodeRecord("open", { header: { pid: 1 }, slots: { path } });
      assert(isMaybe(record));
    }
  }));
});

Deno.test("a scan without a filter, or of what it does not hold, tells nothing", () => {
  const path = UTF8.encode("/tmp/m");
  list([path], {});
  assert(!isMaybe(exec("/tmp/m")) && !isMaybe(open("/tmp/m")));
  list([path], { names: true });
  assert(!isMaybe(open("/tmp/m")));
});

Deno.test("a scan loses no record that may be listed when its hits do not fit at once", () => {
  list([keyOf("ipv4", "192.0.2.1")], { ipv4Prefixes: [32] });
  const record = connect([192, 0, 2, 1]);
  const count = Math.floor(engine.batch.length / record.length);
  assert(count > 8192, "more than the region of hits holds");
  for (let i = 0; i < count; i++) engine.batch.set(record, i * record.length);
  const before = engine.stats();
  const hits = engine.scan(count * record.length);
  assertEquals(new Set(hits.map(({ offset }) => offset)).size, count);
  assertEquals(hits.length, count);
  const after = engine.stats();
  assertEquals(after.records_maybe_listed - before.records_maybe_listed, count);
  assertEquals(after.records - before.records, count);
});

Deno.test("askListed() refuses a torn filter and keeps what was in force", () => {
  list(["/tmp/m"], { paths: true });
  const saved = new BloomFilter(builder, { items: 1 }).save();
  saved[50] = 1;
  assertThrows(() => askListed(engine, saved, NO_ASKS));
  assertThrows(() =>
    askListed(engine, new BloomFilter(builder, { items: 1 }).save(), {
      ...NO_ASKS,
      ipv4Prefixes: [33],
    })
  );
});
