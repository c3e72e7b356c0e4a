import { assert, assertEquals } from "@std/assert";
import { needOf } from "../../tests/support/network_need.ts";
import { type Network, parseCidr } from "./cidr.ts";
import {
  FILTER_NETWORKS_MAX,
  type NetworkFilter,
  type NetworkKind,
  TERMS_PER_KIND_MAX,
  withListed,
} from "./network_filter.ts";
import { holdsNetwork } from "./network_values.ts";
import { compileRules } from "./rule_set.ts";

interface Wanted {
  readonly filter: NetworkFilter;
  /** Indexes of rules that need every record of a kind. */
  readonly whole: readonly number[];
}

/** What rules with these detections want; each has one selection `s` or is whole. */
function wanted(...rules: readonly (readonly [category: string, selection: string])[]): Wanted {
  const set = compileRules(rules.map(([category, selection], i) => ({
    path: `${i}.yml`,
    text: `title: T\nid: r${i}\nlogsource: { category: ${category}, product: linux }\n` +
      `detection: ${
        selection.includes("condition") ? selection : `{ s: ${selection}, condition: s }`
      }\n`,
  })));
  assertEquals(set.rejected, []);
  const { filter, whole } = set.interest.network;
  return { filter, whole: whole.map(({ rule }) => rule) };
}

function networkAt(text: string): Network {
  const network = parseCidr(text);
  if (typeof network === "string") throw new Error(network);
  return network;
}

function need(filter: NetworkFilter, kind: NetworkKind, end: string): string {
  const at = end.lastIndexOf(":");
  const { address } = networkAt(end.slice(0, at));
  return needOf(filter, { kind, address, port: Number(end.slice(at + 1)) });
}

Deno.test("networkInterestOf() takes ports and networks, in every form that says them exactly", () => {
  const cases: readonly (readonly [selection: string, yes: string, no: string])[] = [
    ["{ DestinationPort: 4444 }", "1.2.3.4:4444", "1.2.3.4:443"],
    ["{ DestinationPort: [4444, 1337] }", "::2:1337", "::2:4443"],
    ["{ DestinationPort|gte: 60000 }", "1.2.3.4:60000", "1.2.3.4:59999"],
    ['{ DestinationPort: "44*" }', "1.2.3.4:4499", "1.2.3.4:4399"],
    ['{ DestinationPort|endswith: "99" }', "1.2.3.4:4499", "1.2.3.4:4498"],
    ["{ DestinationIp: 169.254.169.254 }", "169.254.169.254:80", "169.254.169.253:80"],
    ['{ DestinationIp: "FD00:EC2::254" }', "fd00:ec2::254:80", "fd00:ec2::255:80"],
    ["{ DestinationIp|cidr: 10.0.0.0/8 }", "10.255.0.1:1", "11.0.0.1:1"],
    ['{ DestinationIp|cidr: "fe80::/10" }', "febf::1:1", "fec0::1:1"],
    ['{ DestinationIp|startswith: "192.168." }', "192.168.255.1:1", "192.169.0.1:1"],
    ["{ DestinationIp|cidr: 10.0.0.0/8, DestinationPort: 22 }", "10.0.0.1:22", "11.0.0.1:22"],
    [
      "{ s: { DestinationIp|cidr: 10.0.0.0/8 }, f: { DestinationIp|cidr: 10.1.0.0/16 }, " +
      "condition: s and not f }",
      "10.2.0.1:1",
      "10.1.0.1:1",
    ],
    [
      "{ s: { DestinationPort: '*' }, f: { DestinationPort: [53, 0] }, condition: s and not f }",
      "1.2.3.4:54",
      "1.2.3.4:53",
    ],
  ];
  for (const [selection, yes, no] of cases) {
    const { filter, whole } = wanted(["network_connection", selection]);
    assertEquals([filter.every, whole], [[], []], selection);
    assert(need(filter, "connect", yes) !== "none", selection);
    assertEquals(need(filter, "connect", no), "none", selection);
    assertEquals(need(filter, "flow", yes), "none", "a rule on connects is for no other kind");
  }
});

Deno.test("networkInterestOf() looks at the peer of an accept and a flow, at the own end of a bind", () => {
  const { filter } = wanted(
    ["network_accept", "{ SourceIp|cidr: 203.0.113.0/24 }"],
    ["network_bind", "{ SourcePort: 31337 }"],
    ["network_listen", "{ SourcePort: 31338 }"],
    ["network_flow", "{ DestinationPort: 31339, BytesSent|gt: 1000 }"],
  );
  const ports = (kind: NetworkKind): readonly string[] =>
    ["1.2.3.4:31337", "1.2.3.4:31338", "1.2.3.4:31339", "203.0.113.9:1"]
      .filter((end) => need(filter, kind, end) !== "none");
  assertEquals(ports("bind"), ["1.2.3.4:31337"]);
  assertEquals(ports("listen"), ["1.2.3.4:31338"]);
  assertEquals(ports("flow"), ["1.2.3.4:31339"]);
  assertEquals(ports("accept"), ["203.0.113.9:1"]);
  assertEquals(ports("connect"), []);
});

Deno.test("networkInterestOf() leaves nothing out where a rule asks for what a kernel cannot tell", () => {
  const untold = [
    "{ Image|endswith: /nc }",
    "{ DestinationHostname: evil.example }",
    "{ DestinationPort|re: '^4+$' }",
    "{ DestinationIp|contains: '.13.' }",
    "{ a: { DestinationPort: 22 }, b: { Image: /x }, condition: a or b }",
    "{ a: { Image: /x }, condition: not a }",
  ];
  for (const selection of untold) {
    const { filter, whole } = wanted(["network_connection", selection]);
    assertEquals([filter.every, whole], [["connect"], [0]], selection);
    assertEquals(need(filter, "connect", "1.2.3.4:1"), "some", selection);
  }
  assertEquals(wanted(["process_creation", "{ Image: /x }"]).filter.every, []);
});

Deno.test("networkInterestOf() names what a rule asks for by a few ports or networks", () => {
  const { filter } = wanted(
    ["network_connection", "{ Image: /x }"],
    ["network_connection", "{ DestinationPort|gt: 1000 }"],
    ["network_connection", "{ DestinationPort: 4444, Image: /y }"],
    ["network_connection", "{ DestinationIp|cidr: 192.0.2.0/24 }"],
  );
  assertEquals(
    ["1.2.3.4:4444", "192.0.2.7:1", "1.2.3.4:5000", "1.2.3.4:1"].map((end) =>
      need(filter, "connect", end)
    ),
    ["named", "named", "some", "some"],
  );
});

Deno.test("networkInterestOf() stays within its bounds and leaves nothing out for it", () => {
  const terms = Array.from(
    { length: TERMS_PER_KIND_MAX + 5 },
    (_, i) => ["network_connection", `{ DestinationIp: 10.0.0.${i}, DestinationPort: ${i} }`],
  ) as [string, string][];
  const { filter } = wanted(...terms);
  for (let i = 0; i < terms.length; i++) {
    assert(need(filter, "connect", `10.0.0.${i}:${i}`) !== "none");
  }
  assertEquals(need(filter, "connect", "10.0.0.1:2"), "none");
  const addresses = Array.from(
    { length: FILTER_NETWORKS_MAX + 1 },
    (_, i) => `10.0.${i >> 8}.${i & 255}`,
  );
  const many = wanted(["network_connection", `{ DestinationIp: [${addresses.join()}] }`]).filter;
  assertEquals(many.every, ["connect"]);
});

Deno.test("withListed() marks listed networks within and around those of rules", () => {
  const { filter } = wanted(
    ["network_connection", "{ DestinationIp|cidr: 10.1.0.0/16 }"],
    ["network_connection", "{ DestinationIp|cidr: 10.1.2.0/24, DestinationPort: 1 }"],
  );
  const listed = ["10.0.0.0/8", "10.1.2.128/25", "fd00::/32"].map(networkAt);
  const bit = 1n << 63n;
  const all = withListed(filter.networks, { listed, bit });
  for (const text of ["9.0.0.1", "10.0.0.1", "10.1.0.1", "10.1.2.1", "10.1.2.200", "fd00::1"]) {
    const { address } = networkAt(text);
    const own = { address, prefix: address.length * 8 };
    const found = all.findLast((one) => holdsNetwork(one, own));
    const before = filter.networks.findLast((one) => holdsNetwork(one, own));
    const isListed = listed.some((one) => holdsNetwork(one, own));
    assertEquals(found?.terms, (before?.terms ?? 0n) | (isListed ? bit : 0n), text);
  }
});
