import { assertEquals } from "@std/assert";
import { indicators, loaded, NOW_MS } from "./_indicators_test_support.ts";
import { listedFiles } from "../sensors/listed_files.ts";
import { FILTER_RATE, INDICATOR_WATCHES_MAX } from "./build.ts";

Deno.test("buildIndicators() asks for what is listed and in force, and for nothing else", () => {
  const over = NOW_MS + 1;
  const { asks, interest, filterStats } = loaded(indicators([
    { type: "ipv4", value: "192.0.2.1" },
    { type: "ipv4", value: "192.0.2.0/24" },
    { type: "md5", value: "9e107d9d372bb6826bd81d3542a419d6" },
    { type: "domain", value: "evil.example" },
    { type: "path", value: "/tmp/a", expiresMs: over - 1000 },
  ]));
  assertEquals(asks, {
    paths: false,
    names: false,
    domains: true,
    below: false,
    sha256: false,
    ipv4Prefixes: [24, 32],
    ipv6Prefixes: [],
  });
  assertEquals(interest, {
    address: true,
    listed: {
      rows: Uint8Array.of(2, 0, 0, 0, 192, 0, 2, 1, ...new Array(12).fill(0)),
      networks: [{ address: Uint8Array.of(192, 0, 2, 0), prefix: 24 }],
      any: false,
    },
    privatePeers: false,
    dns: true,
    hashes: false,
    files: { keys: new Uint8Array(), any: false },
    watches: [],
    pathsNotWatched: 0,
  });
  assertEquals(filterStats.askedRate, FILTER_RATE);
});

Deno.test("buildIndicators() wants no connects and no watches without addresses and paths", () => {
  const { asks, interest } = loaded(indicators([{ type: "name", value: "miner" }]));
  assertEquals([asks.names, asks.paths], [true, false]);
  assertEquals(interest, {
    address: false,
    listed: { rows: new Uint8Array(), networks: [], any: false },
    privatePeers: false,
    dns: false,
    hashes: false,
    files: listedFiles({ paths: [], names: ["miner"] }),
    watches: [],
    pathsNotWatched: 0,
  });
});

Deno.test("buildIndicators() gives the kernel every path and name in force, once", () => {
  const { interest } = loaded(indicators([
    { type: "path", value: "/tmp/a" },
    { type: "path", value: "/tmp/a", id: "again" },
    { type: "name", value: "b" },
    { type: "name", value: "b", id: "again" },
    { type: "name", value: "c", expiresMs: NOW_MS - 1 },
  ]));
  assertEquals(interest.files, listedFiles({ paths: ["/tmp/a"], names: ["b"] }));
});

Deno.test("buildIndicators() watches the most severe paths, and says how many it does not", () => {
  const many = Array.from({ length: INDICATOR_WATCHES_MAX + 5 }, (_, i) => ({
    type: "path" as const,
    value: `/tmp/${i}`,
    severity: i === INDICATOR_WATCHES_MAX + 2 ? "critical" as const : "low" as const,
  }));
  const twice = { type: "path" as const, value: "/tmp/0", id: "again" };
  const { interest } = loaded(indicators([...many, twice]));
  assertEquals(interest.watches.length, INDICATOR_WATCHES_MAX);
  assertEquals(interest.pathsNotWatched, 5);
  assertEquals(interest.watches.slice(0, 2).map(({ path }) => path), [
    `/tmp/${INDICATOR_WATCHES_MAX + 2}`,
    "/tmp/0",
  ]);
});

Deno.test("buildIndicators() tells that a listed address is a private one", () => {
  const privatePeers = (value: string): boolean =>
    loaded(indicators([{ type: "ipv4", value }])).interest.privatePeers;
  assertEquals(["192.0.2.1", "10.0.0.7"].map(privatePeers), [false, true]);
});
