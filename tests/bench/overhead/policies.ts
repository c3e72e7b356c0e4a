import { listedFiles } from "../../../agent/sensors/listed_files.ts";
import { listedRows } from "../../../agent/sensors/network_policy.ts";
import type { Policy } from "../../../agent/sensors/policy.ts";
import { OPTIONS } from "../../../common/config/mod.ts";
import { compileRules, readRuleSources } from "../../../common/sigma/mod.ts";
import { ROOT } from "../../support/immune.ts";

/** Packs that are on when the program is installed. */
const SHIPPED = ["ai", "linux", "correlations", "roles"];
const WAKE_INTERVAL_US = OPTIONS.sensor.wake_interval_us.initial;

/** What the packs that are on want from a kernel. */
export async function shippedPolicy(): Promise<Policy> {
  return await policyOf(SHIPPED);
}

/**
 * The same with the rules of rules/costly, which are off by default: they force the wide stream, of
 * which the kernel sends what one of them could need.
 */
export async function costlyPolicy(): Promise<Policy> {
  return await policyOf([...SHIPPED, "costly"], { wideOpen: true });
}

/** The same with so many listed paths, none of which is opened. */
export async function listedPolicy(count = 10_000): Promise<Policy> {
  const paths = Array.from({ length: count }, (_, i) => `/var/lib/immune-nobody/${i % 97}/${i}.so`);
  return { ...await costlyPolicy(), listedFiles: listedFiles({ paths, names: [] }) };
}

/** Rules that name a few ports and networks, none of which is the loopback. */
const FEW = ["DestinationPort: [4444, 31337]", 'DestinationIp|cidr: "198.51.100.0/24"'];
const CATEGORIES = ["network_connection", "network_flow"];

/**
 * Connections alone, of which the kernel sends all, or what these rules or a list of one address
 * could need.
 */
export function connectionPolicy({ filtered }: { readonly filtered: boolean }): Policy {
  const { interest } = compileRules(CATEGORIES.flatMap((category) =>
    FEW.map((selection) => ({
      path: `${category} ${selection}.yml`,
      text: `title: Few\nlogsource: { category: ${category}, product: linux }\n` +
        `detection: { s: { ${selection} }, condition: s }\n`,
    }))
  ));
  const listed = { rows: listedRows([Uint8Array.of(192, 0, 2, 1)]), networks: [], any: false };
  return {
    kinds: ["exec", "fork", "exit", "connect", "accept", "flow"],
    wideOpen: false,
    identity: false,
    wakeIntervalUs: WAKE_INTERVAL_US,
    watches: [],
    ...filtered ? { network: { filter: interest.network.filter, filters: true, listed } } : {},
  };
}

async function policyOf(
  packs: readonly string[],
  { wideOpen = false }: { readonly wideOpen?: boolean } = {},
): Promise<Policy> {
  const sources = await Promise.all(packs.map((pack) => readRuleSources(`${ROOT}rules/${pack}`)));
  const { interest } = compileRules(sources.flat());
  return {
    kinds: interest.kinds,
    wideOpen,
    ...(wideOpen ? { opens: interest.opens } : {}),
    identity: interest.identity,
    wakeIntervalUs: WAKE_INTERVAL_US,
    watches: interest.watches,
    publicPeers: interest.publicPeers,
    roles: interest.roles,
  };
}
