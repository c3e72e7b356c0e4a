// Of the rules on connections, what a kernel can tell without a rule engine: which records none of
// them could fire on, and which a rule asks for by name (specs/sensor_filter.md).

import { countBits, hasBit } from "./bits.ts";
import { type Network, networkKey } from "./cidr.ts";
import { testsOf } from "./expression.ts";
import { CLASSES } from "./image_layout.ts";
import { classMaskOf } from "./log_source.ts";
import { type NetworkFields, type NetworkTerm, NetworkTerms } from "./network_terms.ts";
import { ALL_ADDRESSES, holdsNetwork, networksOf, PORT_COUNT } from "./network_values.ts";
import type { RuleLogic } from "./rule.ts";

/** Kinds of records with an address and a port that a kernel looks at, and their event classes. */
const KIND_CLASSES = {
  connect: CLASSES.network_connection,
  bind: CLASSES.network_bind,
  listen: CLASSES.network_listen,
  accept: CLASSES.network_accept,
  flow: CLASSES.network_flow,
} as const;

const NETWORK_CLASSES = Object.values(KIND_CLASSES).reduce((all, bit) => all | bit, 0);

/** A kind of record that the filter is for. */
export type NetworkKind = keyof typeof KIND_CLASSES;

/** Those kinds. */
export const NETWORK_KINDS = Object.keys(KIND_CLASSES) as readonly NetworkKind[];

/** Most networks that the rules may name; with more their addresses decide nothing. */
export const FILTER_NETWORKS_MAX = 4096;
/** Most terms of one kind; more become one that holds them all. */
export const TERMS_PER_KIND_MAX = 12;
/** Most sets of terms that ports are told apart by. */
export const PORT_CLASSES_MAX = 256;
/** A term of this many ports at most asks for them by name. */
export const NAMED_PORTS_MAX = 1024;

/** The end of a connection that a kernel looks at: what is told as its address and port. */
const DESTINATION: NetworkFields = { address: "DestinationIp", port: "DestinationPort" };
const SOURCE: NetworkFields = { address: "SourceIp", port: "SourcePort" };
const FIELDS: Readonly<Record<NetworkKind, NetworkFields>> = {
  connect: DESTINATION,
  bind: SOURCE,
  listen: SOURCE,
  accept: SOURCE,
  flow: DESTINATION,
};

/** A network, and the terms that hold for its addresses which are in no smaller one. */
export interface FilterNetwork extends Network {
  /** Bits of terms. */
  readonly terms: bigint;
}

/**
 * Which records of connections a rule could need. Terms are numbered: a record's are those that its
 * kind, its port and the smallest network of its address have in common.
 */
export interface NetworkFilter {
  /** Kinds of which a rule could need every record. */
  readonly every: readonly NetworkKind[];
  /** Terms of each kind. */
  readonly terms: Readonly<Record<NetworkKind, bigint>>;
  /** Terms that ask for a few ports or networks by name: no limit is laid on what they hold for. */
  readonly named: bigint;
  /** Networks by growing prefix; all addresses of both families come first. */
  readonly networks: readonly FilterNetwork[];
  /** The class of each port. */
  readonly portClasses: Uint8Array<ArrayBuffer>;
  /** Terms of each class. */
  readonly classTerms: readonly bigint[];
}

/** A rule that makes the kernel send every record of a kind. */
export interface WholeNeed {
  /** Index of the rule. */
  readonly rule: number;
  readonly kinds: readonly NetworkKind[];
}

/** What rules want of records of connections. */
export interface NetworkInterest {
  readonly filter: NetworkFilter;
  /** Rules of which a kernel can tell neither address nor port. */
  readonly whole: readonly WholeNeed[];
}

/**
 * Works out which records the rules could need. It never leaves out one that a rule fires on.
 *
 * @param rules Rules in the order of the image; those on other events count for nothing.
 * @returns The filter, and which rules leave nothing to filter.
 */
export function networkInterestOf(rules: readonly RuleLogic[]): NetworkInterest {
  const asking = rules.map((rule, index) => ({ rule, index, classes: classMaskOf(rule) }))
    .filter(({ classes }) => (classes & NETWORK_CLASSES) !== 0);
  const terms = new NetworkTerms(networksNamed(asking.map(({ rule }) => rule)));
  const found = asking.map(({ rule, index, classes }): RuleTerms => ({
    index,
    kinds: NETWORK_KINDS.filter((kind) => (classes & KIND_CLASSES[kind]) !== 0)
      .map((kind) => [kind, terms.of(rule.expression, FIELDS[kind])]),
  }));
  const isWhole = (of: readonly NetworkTerm[]): boolean =>
    of.some((term) => terms.isEverything(term));
  const whole = found.map(({ index, kinds }): WholeNeed => ({
    rule: index,
    kinds: kinds.filter(([, of]) => isWhole(of)).map(([kind]) => kind),
  }));
  return {
    filter: filterOf(found, terms),
    whole: whole.filter(({ kinds }) => kinds.length > 0),
  };
}

/** Terms of one rule, by the kinds that it is for. */
interface RuleTerms {
  readonly index: number;
  readonly kinds: readonly (readonly [kind: NetworkKind, terms: readonly NetworkTerm[]])[];
}

interface NumberedTerm extends NetworkTerm {
  readonly bit: bigint;
}

function filterOf(found: readonly RuleTerms[], terms: NetworkTerms): NetworkFilter {
  const numbered: NumberedTerm[] = [];
  const every: NetworkKind[] = [];
  let named = 0n;
  const bitsOf = (kind: NetworkKind): bigint => {
    const wanted = found.flatMap(({ kinds }) =>
      kinds.flatMap(([of, terms]) => of === kind ? terms : [])
    );
    const { isEvery, few } = fewTerms(wanted, terms);
    if (isEvery) every.push(kind);
    let bits = 0n;
    for (const term of few) {
      const bit = 1n << BigInt(numbered.length);
      numbered.push({ ...term, bit });
      bits |= bit;
      if (isNamed(term)) named |= bit;
    }
    return bits;
  };
  const kinds = Object.fromEntries(NETWORK_KINDS.map((kind) => [kind, bitsOf(kind)]));
  return {
    every,
    terms: kinds as Record<NetworkKind, bigint>,
    named,
    networks: filterNetworks(terms.networks, numbered),
    ...portClassesOf(numbered),
  };
}

/** Terms of one kind as bits can hold them; `isEvery`: they leave nothing out beside those. */
function fewTerms(
  wanted: readonly NetworkTerm[],
  terms: NetworkTerms,
): { readonly isEvery: boolean; readonly few: readonly NetworkTerm[] } {
  // Apart, so that one which names ports stays one.
  const naming = terms.merge(wanted.filter(isNamed));
  const wide = terms.merge(wanted.filter((term) => !isNamed(term)));
  const isEvery = wide.some((term) => terms.isEverything(term));
  const all = isEvery ? naming : [...naming, ...wide];
  const last = TERMS_PER_KIND_MAX - 1;
  const few = all.length <= last ? all : [...all.slice(0, last), terms.union(all.slice(last))];
  return { isEvery, few };
}

/** Whether a term asks for few ports, or for networks that are not all but some. */
function isNamed({ addresses, ports }: NetworkTerm): boolean {
  return countBits(ports) <= NAMED_PORTS_MAX ||
    !ALL_ADDRESSES.some((_, i) => hasBit(addresses, i));
}

/** Networks that rules on connections name, by growing prefix; all addresses come first. */
function networksNamed(rules: readonly RuleLogic[]): readonly Network[] {
  const found = new Map<string, Network>();
  const add = (network: Network): void => {
    found.set(`${network.address.toHex()}/${network.prefix}`, network);
  };
  ALL_ADDRESSES.forEach(add);
  for (const { expression } of rules) {
    for (const { field, criterion } of testsOf(expression)) {
      if (field !== DESTINATION.address && field !== SOURCE.address) continue;
      networksOf(criterion)?.forEach(add);
    }
  }
  if (found.size > FILTER_NETWORKS_MAX) return ALL_ADDRESSES;
  return [...found.values()].sort((a, b) => a.prefix - b.prefix);
}

/** What holds in each network; one in which the same holds as around it is left out. */
function filterNetworks(
  networks: readonly Network[],
  numbered: readonly NumberedTerm[],
): readonly FilterNetwork[] {
  const kept: FilterNetwork[] = [];
  networks.forEach((network, i) => {
    const terms = numbered.reduce(
      (bits, { addresses, bit }) => hasBit(addresses, i) ? bits | bit : bits,
      0n,
    );
    const around = kept.findLast((outer) => holdsNetwork(outer, network));
    if (around?.terms !== terms) kept.push({ ...network, terms });
  });
  return kept;
}

function portClassesOf(
  numbered: readonly NumberedTerm[],
): Pick<NetworkFilter, "portClasses" | "classTerms"> {
  const classOf = new Uint16Array(PORT_COUNT);
  const terms = [0n];
  // Each term parts every class into the ports that it holds for and the others.
  for (const { ports, bit } of numbered) {
    const parted = new Map<number, number>();
    for (let port = 0; port < PORT_COUNT; port++) {
      if (!hasBit(ports, port)) continue;
      const from = classOf[port] ?? 0;
      const to = parted.get(from) ?? terms.push((terms[from] ?? 0n) | bit) - 1;
      parted.set(from, to);
      classOf[port] = to;
    }
  }
  return fewClasses(classOf, terms);
}

/** Classes that have a port; when there are too many, the last one is all of the rest. */
function fewClasses(
  classOf: Uint16Array,
  terms: readonly bigint[],
): Pick<NetworkFilter, "portClasses" | "classTerms"> {
  const numbers = new Map<number, number>();
  const classTerms: bigint[] = [];
  const portClasses = Uint8Array.from(classOf, (old) => {
    const known = numbers.get(old);
    if (known !== undefined) return known;
    const last = PORT_CLASSES_MAX - 1;
    const number = Math.min(classTerms.length, last);
    classTerms[number] = (classTerms[number] ?? 0n) | (terms[old] ?? 0n);
    numbers.set(old, number);
    return number;
  });
  return { portClasses, classTerms };
}

/**
 * Adds listed networks to those of a filter.
 *
 * @param networks Networks of a filter.
 * @param options The listed ones, and the bit that all their addresses get.
 * @returns Networks by growing prefix, with the terms that hold in each.
 */
export function withListed(
  networks: readonly FilterNetwork[],
  { listed, bit }: { readonly listed: readonly Network[]; readonly bit: bigint },
): readonly FilterNetwork[] {
  const keyOf = (network: Network): string => networkKey(network).toHex();
  const own = new Map(networks.map((one) => [keyOf(one), one.terms]));
  const theirs = new Set(listed.map(keyOf));
  const all = new Map([...listed, ...networks].map((one) => [keyOf(one), one]));
  const prefixes = [...new Set([...all.values()].map(({ prefix }) => prefix))]
    .sort((a, b) => b - a);
  return [...all.values()].map((network) => {
    const around = prefixes.filter((prefix) => prefix <= network.prefix)
      .map((prefix) => keyOf({ ...network, prefix }));
    const terms = own.get(around.find((key) => own.has(key)) ?? "") ?? 0n;
    return { ...network, terms: around.some((key) => theirs.has(key)) ? terms | bit : terms };
  }).sort((a, b) => a.prefix - b.prefix);
}
