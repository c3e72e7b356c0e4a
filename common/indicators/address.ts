import { addressText } from "../record/text.ts";
import { type Network, networkKey, parseCidr } from "../sigma/cidr.ts";
import { IPV4_PREFIX_MIN, IPV6_PREFIX_MIN } from "./limits.ts";
import type { Canonical } from "./value.ts";

const FAMILY = { ipv4: 2, ipv6: 10 } as const;
const LENGTH = { ipv4: 4, ipv6: 16 } as const;
const PREFIX_MIN = { ipv4: IPV4_PREFIX_MIN, ipv6: IPV6_PREFIX_MIN } as const;
/** Bytes in front of an IPv4 address in IPv6 form (RFC 4291, 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];
/** Longest text of a network. */
const TEXT_MAX = 49;

/** Type of an address. */
export type AddressType = keyof typeof FAMILY;

/**
 * Reads an address or a network.
 *
 * @param text As `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1`; `[.]` counts as a dot.
 * @returns Its type and its one form, or why it is none.
 */
export function parseAddress(
  text: string,
): { readonly type: AddressType; readonly value: string } | string {
  const plain = plainText(text.trim());
  if (plain.length > TEXT_MAX || !/^[0-9a-fA-F:.]+(?:\/\d{1,3})?$/.test(plain)) {
    return "it is no address";
  }
  // Leading zeros are octal to some readers: which address is meant is not certain.
  if (/(?:^|[.:])0\d+\./.test(plain) || /\.0\d/.test(plain)) {
    return "it has a number with a leading 0";
  }
  const network = parseCidr(plain);
  if (typeof network === "string") return network.replace(/^".*?" /, "it ");
  const found = unmapped(network);
  const type = typeOf(found.address);
  if (found.prefix < PREFIX_MIN[type]) {
    return `it lists a share of all addresses: a prefix of ${found.prefix} bits, at least ` +
      `${PREFIX_MIN[type]} are wanted`;
  }
  return { type, value: textOf(found) };
}

function plainText(text: string): string {
  if (!text.includes("[") && !text.includes("(")) return text;
  return text.replaceAll(/\[\.\]|\(\.\)/g, ".").replace(/^\[(.*)\]$/, "$1");
}

/** An address of a type, or a network of it, in its one form. */
export function canonicalAddress(type: AddressType, text: string): Canonical {
  const parsed = parseAddress(text);
  if (typeof parsed === "string") return { ok: false, why: parsed };
  if (parsed.type !== type) return { ok: false, why: `it is no ${type} address` };
  return { ok: true, value: parsed.value };
}

/** Length of the prefix and the bytes of an address in its one form. */
export function addressKey(value: string): Uint8Array<ArrayBuffer> {
  const network = parseCidr(value);
  if (typeof network === "string") throw new TypeError(`"${value}" is no address in its one form`);
  return networkKey(network);
}

/** The address or network that has those bytes, in its one form. */
export function addressOfKey(key: Uint8Array): string {
  return textOf({ address: key.subarray(1), prefix: key[0] ?? 0 });
}

/** Whether bytes can be the key of an address. */
export function isAddressKey(type: AddressType, key: Uint8Array): boolean {
  const [prefix = 0] = key;
  return key.length === 1 + LENGTH[type] && prefix >= PREFIX_MIN[type] &&
    prefix <= LENGTH[type] * 8;
}

/** An IPv4 address in IPv6 form is that IPv4 address. */
function unmapped(network: Network): Network {
  const { address, prefix } = network;
  if (address.length !== 16 || prefix < MAPPED.length * 8) return network;
  if (MAPPED.some((byte, i) => address[i] !== byte)) return network;
  return { address: address.slice(MAPPED.length), prefix: prefix - MAPPED.length * 8 };
}

function textOf({ address, prefix }: Network): string {
  const whole = new Uint8Array(16);
  whole.set(address);
  const text = addressText(whole, FAMILY[typeOf(address)]);
  return prefix === address.length * 8 ? text : `${text}/${prefix}`;
}

function typeOf(address: Uint8Array): AddressType {
  return address.length === LENGTH.ipv4 ? "ipv4" : "ipv6";
}
