import type { Network } from "../../common/sigma/cidr.ts";
import { KINDS } from "../../common/record/table.ts";
import {
  type FilterNetwork,
  NETWORK_KINDS,
  type NetworkFilter,
  withListed,
} from "../../common/sigma/network_filter.ts";

/** Bytes of `struct immune_policy_network`: 16 of address, u16 family, u16 prefix, u32 0, u64 terms. */
export const NETWORK_BYTES = 32;
/** Bytes of `struct immune_policy_listed`: u32 family, 16 of address. */
export const LISTED_BYTES = 20;
/** Most listed addresses of a policy (IMMUNE_LISTED_MAX). */
export const LISTED_MAX = 262_144;
/** Most listed networks. */
export const LISTED_NETWORKS_MAX = 4096;

/** IMMUNE_TERM_LISTED. */
const LISTED_BIT = 1n << 63n;
const TERMS_BYTES = 8;
const FAMILY = { ipv4: 2, ipv6: 10 } as const;
const IPV4_BYTES = 4;

/** Offsets in a policy's header, from where it begins to tell of connections. */
const HEADER = {
  networkCount: 0, // u32
  classCount: 4, // u32
  listedCount: 8, // u32
  every: 12, // u32
  named: 16, // u64
  terms: 24, // u64 of each kind, from that of connect on
} as const;
const HEADER_BYTES = 72;

/** Addresses that indicators list. */
export interface ListedAddresses {
  /** Rows of {@linkcode LISTED_BYTES}: one an address. */
  readonly rows: Uint8Array<ArrayBuffer>;
  readonly networks: readonly Network[];
  /** There are more than a policy takes: any address may be listed. */
  readonly any: boolean;
}

/** Which records of connections somebody needs. */
export interface NetworkPolicy {
  /** What rules could need. */
  readonly filter: NetworkFilter;
  /** What else is counted as filtered; else the filter says only what no limit is laid on. */
  readonly filters: boolean;
  /** What may be listed is sent, whatever the limits. Default: nothing is listed. */
  readonly listed?: ListedAddresses;
}

/**
 * Rows of listed addresses.
 *
 * @param addresses Addresses of 4 or 16 bytes.
 */
export function listedRows(addresses: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array(addresses.length * LISTED_BYTES);
  const view = new DataView(rows.buffer);
  addresses.forEach((address, i) => {
    view.setUint32(i * LISTED_BYTES, familyOf(address), true);
    rows.set(address, i * LISTED_BYTES + 4);
  });
  return rows;
}

/** What a policy has of connections. */
export interface EncodedNetwork {
  /** The end of its header. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** What follows its terms. */
  readonly section: Uint8Array<ArrayBuffer>;
}

/**
 * Writes what is needed of connections.
 *
 * @param policy What is needed. Default: everything, which takes no section.
 */
export function encodeNetwork(policy?: NetworkPolicy): EncodedNetwork {
  const header = new Uint8Array(HEADER_BYTES);
  if (policy === undefined) return { header, section: new Uint8Array() };
  const { classTerms, portClasses, every, named, terms } = policy.filter;
  const networks = networksOf(policy);
  const rows = policy.listed?.rows ?? new Uint8Array();
  const head = new DataView(header.buffer);
  head.setUint32(HEADER.networkCount, networks.length, true);
  head.setUint32(HEADER.classCount, classTerms.length, true);
  head.setUint32(HEADER.listedCount, rows.length / LISTED_BYTES, true);
  head.setUint32(HEADER.every, every.reduce((bits, kind) => bits | 1 << KINDS[kind].id, 0), true);
  head.setBigUint64(HEADER.named, named, true);
  for (const kind of NETWORK_KINDS) {
    const place = KINDS[kind].id - KINDS.connect.id;
    head.setBigUint64(HEADER.terms + place * TERMS_BYTES, terms[kind], true);
  }
  const classes = BigUint64Array.from(classTerms);
  const parts = [networkRows(networks), new Uint8Array(classes.buffer), portClasses, rows];
  const section = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    section.set(part, at);
    at += part.length;
  }
  return { header, section };
}

function networkRows(networks: readonly FilterNetwork[]): Uint8Array {
  const rows = new Uint8Array(networks.length * NETWORK_BYTES);
  const view = new DataView(rows.buffer);
  networks.forEach(({ address, prefix, terms }, i) => {
    const at = i * NETWORK_BYTES;
    rows.set(address, at);
    view.setUint16(at + 16, familyOf(address), true);
    view.setUint16(at + 18, prefix, true);
    view.setBigUint64(at + 24, terms, true);
  });
  return rows;
}

function networksOf({ filter, listed }: NetworkPolicy): readonly FilterNetwork[] {
  if (listed === undefined || listed.networks.length === 0) return filter.networks;
  return withListed(filter.networks, { listed: listed.networks, bit: LISTED_BIT });
}

function familyOf(address: Uint8Array): number {
  return address.length === IPV4_BYTES ? FAMILY.ipv4 : FAMILY.ipv6;
}
