import { assertEquals } from "@std/assert";
import { parseCidr } from "./cidr.ts";
import { hasPrivatePeers } from "./public_peers.ts";
import { compileRules } from "./rule_set.ts";

const PRIVATE = "[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 127.0.0.0/8, 100.64.0.0/10, " +
  '169.254.0.0/16, "::1/128", "fc00::/7", "fe80::/10"]';

function publicPeers(category: string, ...detections: readonly string[]): boolean {
  return compileRules(detections.map((detection, i) => ({
    path: `${i}.yml`,
    text: `title: T\nid: r${i}\nlogsource: { category: ${category}, product: linux }\n` +
      `detection: ${detection}\n`,
  }))).interest.publicPeers;
}

Deno.test("interest leaves private peers out when every rule on connections does", () => {
  const wanted =
    `{ s: { Image: /x }, f: { DestinationIp|cidr: ${PRIVATE} }, condition: s and not f }`;
  const some =
    "{ s: { Image: /x }, f: { DestinationIp|cidr: 10.0.0.0/8 }, condition: s and not f }";
  const any = "{ s: { Image: /x }, condition: s }";
  const either =
    `{ s: { Image: /x }, f: { DestinationIp|cidr: ${PRIVATE} }, condition: s or not f }`;
  assertEquals(publicPeers("network_flow", wanted), true);
  assertEquals(publicPeers("network_flow", wanted, any), false);
  assertEquals(publicPeers("network_flow", some), false);
  assertEquals(publicPeers("network_flow", either), false);
  const accept = wanted.replace("DestinationIp", "SourceIp");
  assertEquals(publicPeers("network_accept", accept), true);
  assertEquals(publicPeers("network_accept", wanted), false);
  // Rules on other things do not count.
  assertEquals(publicPeers("network_connection", any), true);
});

Deno.test("hasPrivatePeers() finds private addresses, and networks that overlap private ones", () => {
  const has = (text: string): boolean => {
    const network = parseCidr(text);
    if (typeof network === "string") throw new Error(network);
    return hasPrivatePeers(network);
  };
  const are = [
    "127.0.0.9",
    "10.1.2.3",
    "172.31.0.0/16",
    "8.0.0.0/5",
    "192.168.1.1",
    "::1",
    "fe80::1",
  ];
  const none = ["192.0.2.1", "11.0.0.0/8", "172.32.0.1", "192.0.0.0/15", "2001:db8::/32", "::2"];
  assertEquals(are.filter(has), are);
  assertEquals(none.filter(has), []);
});
