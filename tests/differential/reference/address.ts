const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const IPV4_BITS = 32n;
const IPV6_BITS = 128n;
/** The 96 bits before an IPv4 address in IPv6 form (RFC 4291, 2.5.5.2). */
const MAPPED = 0xFFFFn;

/** An address as a number. */
interface Address {
  readonly bits: bigint;
  readonly number: bigint;
}

/**
 * Says whether a text is an address of a network.
 *
 * @param network As `10.0.0.0/8`, `fe80::/10`, or an address alone.
 * @param text Any text.
 * @returns True when it is.
 */
export function isInNetwork(network: string, text: string): boolean {
  const [host = "", length] = network.split("/");
  const wanted = parse(host);
  const found = parse(text);
  if (wanted === undefined) throw new RangeError(`"${network}" is no network`);
  const address = found === undefined ? undefined : unmapped(found);
  if (address?.bits !== wanted.bits) return false;
  const ignored = wanted.bits - (length === undefined ? wanted.bits : BigInt(length));
  return address.number >> ignored === wanted.number >> ignored;
}

function unmapped(address: Address): Address {
  if (address.bits !== IPV6_BITS || address.number >> IPV4_BITS !== MAPPED) return address;
  return { bits: IPV4_BITS, number: address.number & 0xFFFF_FFFFn };
}

function parse(text: string): Address | undefined {
  return parseIpv4(text) ?? parseIpv6(text);
}

function parseIpv4(text: string): Address | undefined {
  const bytes = IPV4.exec(text)?.slice(1).map(BigInt);
  if (bytes === undefined || bytes.some((byte) => byte > 255n)) return undefined;
  return { bits: IPV4_BITS, number: bytes.reduce((sum, byte) => sum << 8n | byte, 0n) };
}

function parseIpv6(text: string): Address | undefined {
  const tail = /[^:]*$/.exec(text)?.[0] ?? "";
  const last = parseIpv4(tail)?.number;
  const plain = last === undefined ? text : text.slice(0, text.length - tail.length) +
    `${(last >> 16n).toString(16)}:${(last & 0xFFFFn).toString(16)}`;
  const halves = plain.split("::");
  const [before = [], after = []] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = 8 - before.length - after.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...before, ...Array<string>(missing).fill("0"), ...after];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const number = groups.reduce((sum, group) => sum << 16n | BigInt(`0x${group}`), 0n);
  return { bits: IPV6_BITS, number };
}
