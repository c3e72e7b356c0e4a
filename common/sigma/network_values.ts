// What tests of an address or a port ask for, as networks and ports: where that can be told exactly.

import { addressText } from "../record/text.ts";
import { addBit, type Bits, bitsWhere, noBits } from "./bits.ts";
import { type Network, parseCidr } from "./cidr.ts";
import type { Criterion } from "./criterion.ts";
import { ANY, foldCase, ONE, type Pattern } from "./value.ts";

/** Ports that there are, 0 included. */
export const PORT_COUNT = 65_536;

/** All addresses of each family. */
export const ALL_ADDRESSES: readonly Network[] = [
  { address: new Uint8Array(4), prefix: 0 },
  { address: new Uint8Array(16), prefix: 0 },
];

/** The first numbers of an IPv4 address, each with its dot. */
const IPV4_START = /^(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\.){1,3}$/;
const IPV4_BYTES = 4;
const FAMILY = { ipv4: 2, ipv6: 10 } as const;

/**
 * Networks whose addresses fulfil a criterion, and no others do.
 *
 * @param criterion What the text of an address (RFC 5952) must be like.
 * @returns The networks, none when no address does; `undefined` when it cannot be told by networks.
 */
export function networksOf(criterion: Criterion): readonly Network[] | undefined {
  if (criterion.type === "cidr") return [{ address: criterion.address, prefix: criterion.prefix }];
  if (criterion.type !== "pattern") return undefined;
  const { pattern, cased } = criterion;
  const [first, second] = pattern;
  if (pattern.length === 1 && first === ANY) return ALL_ADDRESSES;
  if (typeof first !== "string") return pattern.length === 0 ? [] : undefined;
  if (pattern.length === 1) return oneAddress(cased ? first : foldCase(first));
  return pattern.length === 2 && second === ANY && IPV4_START.test(first)
    ? [startOf(first)]
    : undefined;
}

/** The address with exactly that text. */
function oneAddress(text: string): readonly Network[] {
  const network = text.includes("/") ? "no address" : parseCidr(text);
  if (typeof network === "string") return [];
  const whole = new Uint8Array(16);
  whole.set(network.address);
  const family = network.address.length === IPV4_BYTES ? FAMILY.ipv4 : FAMILY.ipv6;
  return addressText(whole, family) === text ? [network] : [];
}

function startOf(text: string): Network {
  const numbers = text.split(".").slice(0, -1).map(Number);
  const address = new Uint8Array(IPV4_BYTES);
  address.set(numbers);
  return { address, prefix: numbers.length * 8 };
}

/**
 * Whether all addresses of a network are in another.
 *
 * @param outer The other.
 * @param inner The network.
 */
export function holdsNetwork(outer: Network, inner: Network): boolean {
  if (outer.address.length !== inner.address.length || outer.prefix > inner.prefix) return false;
  const whole = outer.prefix >> 3;
  for (let i = 0; i < whole; i++) if (outer.address[i] !== inner.address[i]) return false;
  const mask = 0xFF00 >> (outer.prefix & 7) & 0xFF;
  return (((outer.address[whole] ?? 0) ^ (inner.address[whole] ?? 0)) & mask) === 0;
}

/**
 * Ports that fulfil a criterion, and no others do.
 *
 * @param criterion What the decimal text of a port must be like.
 * @returns The set of them; `undefined` when it cannot be told.
 */
export function portsOf(criterion: Criterion): Bits | undefined {
  if (criterion.type === "number" && criterion.part === undefined) {
    const { comparison, number } = criterion;
    return bitsWhere(PORT_COUNT, (port) => {
      switch (comparison) {
        case "eq":
          return port === number;
        case "lt":
          return port < number;
        case "lte":
          return port <= number;
        case "gt":
          return port > number;
        case "gte":
          return port >= number;
      }
    });
  }
  if (criterion.type !== "pattern") return undefined;
  const { pattern } = criterion;
  const [first] = pattern;
  if (pattern.length === 1 && typeof first === "string") {
    const ports = noBits(PORT_COUNT);
    const port = Number(first);
    if (String(port) === first && Number.isInteger(port) && port >= 0 && port < PORT_COUNT) {
      addBit(ports, port);
    }
    return ports;
  }
  const form = patternForm(pattern);
  return bitsWhere(PORT_COUNT, (port) => form.test(String(port)));
}

/** A pattern as a regular expression for text of digits. */
function patternForm(pattern: Pattern): RegExp {
  const parts = pattern.map((part) => {
    if (part === ANY) return ".*";
    return part === ONE ? "." : RegExp.escape(part);
  });
  return new RegExp(`^${parts.join("")}$`, "u");
}
