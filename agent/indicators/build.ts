import { type Indicator, isExpired } from "../../common/indicators/indicator.ts";
import type { SetImage } from "../../common/indicators/set_file.ts";
import type { Network } from "../../common/sigma/cidr.ts";
import { hasPrivatePeers } from "../../common/sigma/public_peers.ts";
import { SEVERITIES } from "../../common/sigma/severity.ts";
import { type Engine, type ListedAsks, TunedBloom } from "../../wasm/engine/mod.ts";
import {
  LISTED_MAX,
  LISTED_NETWORKS_MAX,
  type ListedAddresses,
  listedRows,
} from "../sensors/network_policy.ts";
import { listedFiles } from "../sensors/listed_files.ts";
import type { Watch } from "../sensors/policy.ts";
import type { IndicatorInterest, LoadedIndicators } from "./messages.ts";

/** Share of values that are not listed for which the exact set is asked in vain. */
export const FILTER_RATE = 0.001;
/** Most listed paths that are watched; the others are seen when they are run, or by the wide stream. */
export const INDICATOR_WATCHES_MAX = 1024;

/**
 * Builds what a pipeline needs of a set.
 *
 * @param image The set.
 * @param options `engine`: one of its own, in which the filter is built; `nowMs`: Unix time in
 * milliseconds; what is over by then is left out of the filter.
 * @returns Set, filter and interest.
 */
export function buildIndicators(
  image: SetImage,
  options: { readonly engine: Engine; readonly nowMs: number },
): LoadedIndicators {
  const { engine, nowMs } = options;
  const tuned = new TunedBloom(engine, {
    items: image.size,
    rate: FILTER_RATE,
    keys: () => keysInForce(image, nowMs),
  });
  const filterStats = tuned.tune();
  return {
    set: image.parts,
    filter: tuned.filter.save(),
    filterStats,
    asks: asksOf(image, nowMs),
    interest: interestOf(image, nowMs),
  };
}

function* keysInForce(image: SetImage, nowMs: number): Generator<Uint8Array> {
  for (let i = 0; i < image.size; i++) {
    if (!isExpired(image.timesAt(i), nowMs)) yield image.keyAt(i).key;
  }
}

function asksOf(image: SetImage, nowMs: number): ListedAsks {
  const ipv4 = new Set<number>();
  const ipv6 = new Set<number>();
  let [paths, names, domains, below, sha256] = [false, false, false, false, false];
  for (let i = 0; i < image.size; i++) {
    if (isExpired(image.timesAt(i), nowMs)) continue;
    const { type, key } = image.keyAt(i);
    if (type === "path") paths = true;
    else if (type === "name") names = true;
    else if (type === "sha256") sha256 = true;
    else if (type === "domain" && isBelow(key)) below = true;
    else if (type === "domain") domains = true;
    else if (type === "ipv4") ipv4.add(key[0] ?? 0);
    else if (type === "ipv6") ipv6.add(key[0] ?? 0);
  }
  return { paths, names, domains, below, sha256, ipv4Prefixes: [...ipv4], ipv6Prefixes: [...ipv6] };
}

function interestOf(image: SetImage, nowMs: number): IndicatorInterest {
  const listed = new Map<string, Indicator>();
  const names: string[] = [];
  const addresses: Network[] = [];
  let [privatePeers, dns, hashes] = [false, false, false];
  for (let i = 0; i < image.size; i++) {
    if (isExpired(image.timesAt(i), nowMs)) continue;
    const { type, key } = image.keyAt(i);
    if (type === "ipv4" || type === "ipv6") {
      const network = { address: key.slice(1), prefix: key[0] ?? 0 };
      addresses.push(network);
      privatePeers ||= hasPrivatePeers(network);
    }
    dns ||= type === "domain";
    hashes ||= type === "sha256";
    if (type === "name") names.push(image.indicatorAt(i).value);
    if (type !== "path") continue;
    const indicator = image.indicatorAt(i);
    const before = listed.get(indicator.value);
    if (before === undefined || urgency(indicator, before) < 0) {
      listed.set(indicator.value, indicator);
    }
  }
  const paths = [...listed.values()].sort(urgency);
  const watches = paths.slice(0, INDICATOR_WATCHES_MAX)
    .map(({ value }): Watch => ({ type: "file", path: value }));
  return {
    address: addresses.length > 0,
    listed: listedOf(addresses),
    privatePeers,
    dns,
    hashes,
    files: listedFiles({ paths: paths.map(({ value }) => value), names: [...new Set(names)] }),
    watches,
    pathsNotWatched: paths.length - watches.length,
  };
}

/** Addresses alone go into a Bloom map, networks among those of rules. */
function listedOf(all: readonly Network[]): ListedAddresses {
  const isAlone = ({ address, prefix }: Network): boolean => prefix === address.length * 8;
  const addresses = all.filter(isAlone).map(({ address }) => address);
  const networks = all.filter((network) => !isAlone(network));
  return addresses.length > LISTED_MAX || networks.length > LISTED_NETWORKS_MAX
    ? { rows: new Uint8Array(), networks: [], any: true }
    : { rows: listedRows(addresses), networks, any: false };
}

/** Whether a domain is `*.` and one. */
function isBelow(key: Uint8Array): boolean {
  return key[0] === STAR;
}

const STAR = 0x2A;

/** The most severe first, then those that were listed last. */
function urgency(a: Indicator, b: Indicator): number {
  return SEVERITIES[b.severity] - SEVERITIES[a.severity] || b.listedMs - a.listedMs;
}
