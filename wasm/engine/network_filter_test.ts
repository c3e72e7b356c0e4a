import { assert } from "@std/assert";
import fc from "fast-check";
import { needOf, type Seen } from "../../tests/support/network_need.ts";
import { parseCidr } from "../../common/sigma/cidr.ts";
import { NETWORK_KINDS, type NetworkKind } from "../../common/sigma/mod.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { compile, scanAll, type TestRule } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

const engine = await Engine.create();
/** Rules and records are few and alike, so that most rules fire on some record. */
const RUNS = 300;
const RECORDS_PER_RUN = 24;

const ADDRESSES = [
  "10.0.0.1",
  "10.1.2.3",
  "10.1.2.131",
  "11.0.0.1",
  "169.254.169.254",
  "203.0.113.7",
  "::1",
  "fd00:ec2::254",
  "fd00:ec2::1",
  "2001:db8::7",
] as const;
const NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.128/25", "0.0.0.0/0", "fd00::/8", "::/0"];
const PORTS = [0, 1, 22, 53, 80, 443, 4444, 4445, 65535] as const;
const CATEGORIES: Readonly<Record<NetworkKind, string>> = {
  connect: "network_connection",
  bind: "network_bind",
  listen: "network_listen",
  accept: "network_accept",
  flow: "network_flow",
};

const quoted = (values: readonly unknown[]): string => `["${values.join('", "')}"]`;
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.subarray([...values], { minLength: 1, maxLength: 3 });
const SIDE = fc.constantFrom("Destination", "Source");
const PORT = some(PORTS);
const TEST: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(SIDE, some(ADDRESSES)).map(([side, values]) => `${side}Ip: ${quoted(values)}`),
  fc.tuple(SIDE, some(NETWORKS)).map(([side, values]) => `${side}Ip|cidr: ${quoted(values)}`),
  fc.tuple(SIDE, fc.constantFrom("10.", "10.1.", "10.1.2.", "1", "fd00:", "*")).map(
    ([side, text]) => `${side}Ip|startswith: "${text}"`,
  ),
  fc.tuple(SIDE, PORT).map(([side, values]) => `${side}Port: [${values.join()}]`),
  fc.tuple(SIDE, fc.constantFrom("lt", "lte", "gt", "gte"), fc.constantFrom(...PORTS)).map(
    ([side, how, port]) => `${side}Port|${how}: ${port}`,
  ),
  fc.tuple(SIDE, fc.constantFrom("4*", "*4?", "44??", "*", "?")).map(
    ([side, text]) => `${side}Port: "${text}"`,
  ),
  fc.constantFrom('Protocol: "tcp"', 'Initiated: "true"', "Role: none", "SourcePort: null"),
);
const RULE: fc.Arbitrary<TestRule & { readonly kind: NetworkKind }> = fc.record({
  kind: fc.constantFrom(...NETWORK_KINDS),
  selections: fc.array(
    fc.uniqueArray(TEST, {
      minLength: 1,
      maxLength: 3,
      selector: (test) => test.split(":", 1)[0],
    }),
    { minLength: 3, maxLength: 3 },
  ),
  condition: fc.constantFrom(
    "s0 and s1 and not s2",
    "s0 or (s1 and not s2)",
    "1 of s*",
    "all of s*",
    "2 of s*",
    "not s0 and not 2 of s*",
    "s0 and not (s1 or s2)",
    "not (s0 and s1)",
  ),
}).map(({ kind, selections, condition }) => ({
  kind,
  category: CATEGORIES[kind],
  detection: [
    ...selections.map((tests, i) => `s${i}: { ${tests.join(", ")} }`),
    `condition: ${condition}`,
  ],
}));
const SEEN: fc.Arbitrary<Seen> = fc.record({
  kind: fc.constantFrom(...NETWORK_KINDS),
  address: fc.constantFrom(...ADDRESSES).map((text) => {
    const network = parseCidr(text);
    if (typeof network === "string") throw new Error(network);
    return network.address;
  }),
  port: fc.oneof(fc.constantFrom(...PORTS), fc.nat({ max: 65_535 })),
});

function recordOf({ kind, address, port }: Seen): Uint8Array {
  const header = { pid: 7, start_time_ns: 1n };
  const whole = new Uint8Array(16);
  whole.set(address);
  const socket = { family: address.length === 4 ? 2 : 10, protocol: 6, socket_type: 1 };
  if (kind !== "accept") {
    return encodeRecord(kind, { header, body: { ...socket, address: whole, port } });
  }
  const body = { ...socket, port: 8080, peer_address: whole, peer_port: port };
  return encodeRecord("accept", { header, body });
}

Deno.test("networkInterestOf() is sound: what a kernel filters away fires no rule of the engine", () => {
  const counts = { none: 0, some: 0, named: 0, fired: 0 };
  const records = fc.array(SEEN, { minLength: RECORDS_PER_RUN, maxLength: RECORDS_PER_RUN });
  fc.assert(
    fc.property(fc.array(RULE, { minLength: 1, maxLength: 3 }), records, (rules, seen) => {
      const set = compile(...rules);
      engine.publish(set.image);
      scanAll(engine, seen.map(recordOf)).forEach((fired, i) => {
        const record = seen[i];
        if (record === undefined) return;
        const need = needOf(set.interest.network.filter, record);
        counts[need]++;
        if (fired.length > 0) counts.fired++;
        assert(need !== "none" || fired.length === 0, JSON.stringify([rules, record]));
      });
    }),
    { numRuns: RUNS },
  );
  const least = RUNS * RECORDS_PER_RUN / 100;
  for (const [what, count] of Object.entries(counts)) {
    assert(count > least, `only ${count} were ${what}: the test tests little`);
  }
});
