// What a rule on connections asks of address and port, as far as that can be told: a few pairs of a
// set of networks and a set of ports, one of which every record that it fires on is in.

import {
  type Bits,
  bitsInAny,
  bitsInBoth,
  bitsWhere,
  bitsWithout,
  isNoBits,
  noBits,
  sameBits,
} from "./bits.ts";
import type { Network } from "./cidr.ts";
import type { Criterion } from "./criterion.ts";
import type { Expression, FieldTest } from "./expression.ts";
import { holdsNetwork, networksOf, PORT_COUNT, portsOf } from "./network_values.ts";
import { formatValue } from "./value.ts";

/** Pairs that one rule is told by; more become one that holds them all. */
const TERMS_PER_RULE_MAX = 16;

/** Records with an address in one of these networks and one of these ports. */
export interface NetworkTerm {
  /** Numbers of networks; each stands for its addresses that are in no smaller one. */
  readonly addresses: Bits;
  readonly ports: Bits;
}

/** Fields that are told apart: the one with the address and the one with the port. */
export interface NetworkFields {
  readonly address: string;
  readonly port: string;
}

/** Works out terms over the networks that a set of rules names. */
export class NetworkTerms {
  /** The networks, those of all addresses included. */
  readonly networks: readonly Network[];
  readonly #everywhere: Bits;
  readonly #everyPort = bitsWhere(PORT_COUNT);
  readonly #addresses = new Map<string, Bits | undefined>();
  readonly #ports = new Map<string, Bits | undefined>();

  /** @param networks All that the rules name, each once; an address of one that is missing is any. */
  constructor(networks: readonly Network[]) {
    this.networks = networks;
    this.#everywhere = bitsWhere(networks.length);
  }

  /** Whether a term is every record. */
  isEverything({ addresses, ports }: NetworkTerm): boolean {
    return sameBits(addresses, this.#everywhere) && sameBits(ports, this.#everyPort);
  }

  /**
   * Terms of which one holds for every record that fulfils an expression.
   *
   * @param expression What a rule asks.
   * @param fields Fields that a kernel knows.
   * @returns The terms, none when nothing fulfils it.
   */
  of(expression: Expression, fields: NetworkFields): readonly NetworkTerm[] {
    return this.#of(expression, { fields, wanted: true });
  }

  /** Fewer terms, which hold for no fewer records: those with the same networks, or ports, are one. */
  merge(terms: readonly NetworkTerm[]): readonly NetworkTerm[] {
    const byAddresses: NetworkTerm[] = [];
    for (const term of terms) {
      if (isNoBits(term.addresses) || isNoBits(term.ports)) continue;
      join(byAddresses, term, { same: "addresses", other: "ports" });
    }
    const merged: NetworkTerm[] = [];
    for (const term of byAddresses) join(merged, term, { same: "ports", other: "addresses" });
    return merged;
  }

  /** One term that holds for all records that any of them holds for. */
  union(terms: readonly NetworkTerm[]): NetworkTerm {
    return terms.reduce((a, b) => ({
      addresses: bitsInAny(a.addresses, b.addresses),
      ports: bitsInAny(a.ports, b.ports),
    }), { addresses: noBits(this.networks.length), ports: noBits(PORT_COUNT) });
  }

  #of(expression: Expression, search: Search): readonly NetworkTerm[] {
    switch (expression.kind) {
      case "test":
        return this.#ofTest(expression, search);
      case "not":
        return this.#of(expression.of, { ...search, wanted: !search.wanted });
      case "and":
        return search.wanted ? this.#all(expression.of, search) : this.#any(expression.of, search);
      case "or":
        return search.wanted ? this.#any(expression.of, search) : this.#all(expression.of, search);
      case "at_least": {
        const { of, count } = expression;
        const needed = search.wanted ? count : of.length - count + 1;
        if (needed <= 0) return [this.#everything()];
        // Of so many parts that hold, the first is any of them.
        return needed === of.length ? this.#all(of, search) : this.#any(of, search);
      }
    }
  }

  #any(of: readonly Expression[], search: Search): readonly NetworkTerm[] {
    return this.#few(of.flatMap((inner) => this.#of(inner, search)));
  }

  #all(of: readonly Expression[], search: Search): readonly NetworkTerm[] {
    return of.reduce<readonly NetworkTerm[]>((terms, inner) => {
      const more = this.#of(inner, search);
      return this.#few(terms.flatMap((a) =>
        more.map((b) => ({
          addresses: bitsInBoth(a.addresses, b.addresses),
          ports: bitsInBoth(a.ports, b.ports),
        }))
      ));
    }, [this.#everything()]);
  }

  #few(terms: readonly NetworkTerm[]): readonly NetworkTerm[] {
    const merged = this.merge(terms);
    return merged.length > TERMS_PER_RULE_MAX ? [this.union(merged)] : merged;
  }

  #everything(): NetworkTerm {
    return { addresses: this.#everywhere, ports: this.#everyPort };
  }

  #ofTest({ field, criterion }: FieldTest, { fields, wanted }: Search): readonly NetworkTerm[] {
    const everything = this.#everything();
    if (field === fields.address) {
      const found = this.#addressesOf(criterion);
      if (found === undefined) return [everything];
      return [{ ...everything, addresses: wanted ? found : bitsWithout(this.#everywhere, found) }];
    }
    const found = field === fields.port ? this.#portsOf(criterion) : undefined;
    if (found === undefined) return [everything];
    return [{ ...everything, ports: wanted ? found : bitsWithout(this.#everyPort, found) }];
  }

  #addressesOf(criterion: Criterion): Bits | undefined {
    return remembered(this.#addresses, criterion, () => {
      const wanted = networksOf(criterion);
      if (wanted?.every((network) => this.#has(network)) !== true) return undefined;
      return bitsWhere(this.networks.length, (i) => {
        const network = this.networks[i];
        return network !== undefined && wanted.some((one) => holdsNetwork(one, network));
      });
    });
  }

  #has(wanted: Network): boolean {
    return this.networks.some((one) => one.prefix === wanted.prefix && holdsNetwork(one, wanted));
  }

  #portsOf(criterion: Criterion): Bits | undefined {
    return remembered(this.#ports, criterion, () => portsOf(criterion));
  }
}

interface Search {
  readonly fields: NetworkFields;
  /** False when the expression is to be false. */
  readonly wanted: boolean;
}

interface Joining {
  readonly same: keyof NetworkTerm;
  readonly other: keyof NetworkTerm;
}

/** Adds a term to others: to the one that is the same on one side. */
function join(terms: NetworkTerm[], term: NetworkTerm, { same, other }: Joining): void {
  const at = terms.findIndex((one) => sameBits(one[same], term[same]));
  const known = terms[at];
  if (known === undefined) terms.push(term);
  else terms[at] = { ...known, [other]: bitsInAny(known[other], term[other]) };
}

function remembered(
  known: Map<string, Bits | undefined>,
  criterion: Criterion,
  find: () => Bits | undefined,
): Bits | undefined {
  const key = keyOf(criterion);
  if (!known.has(key)) known.set(key, find());
  return known.get(key);
}

function keyOf(criterion: Criterion): string {
  if (criterion.type === "pattern") {
    return `pattern ${criterion.cased} ${formatValue(criterion.pattern)}`;
  }
  if (criterion.type === "cidr") return `cidr ${criterion.address.toHex()}/${criterion.prefix}`;
  return JSON.stringify(criterion);
}
