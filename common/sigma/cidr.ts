/** A network: an address and how many of its bits count. */
export interface Network {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** Bits, 0 to 32 or 0 to 128. */
  readonly prefix: number;
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUPS = 8;

/**
 * Reads a network in CIDR notation (RFC 4632, RFC 4291 section 2.3); an address alone is a network
 * of itself.
 *
 * @param text As `10.0.0.0/8` or `fe80::/10`.
 * @returns The network, or a line that says why it is none.
 */
export function parseCidr(text: string): Network | string {
  const [host = "", bits, more] = text.split("/");
  const address = parseIpv4(host) ?? parseIpv6(host);
  if (address === undefined || more !== undefined) {
    return `"${text}" is no network; write it as 10.0.0.0/8 or fe80::/10`;
  }
  const most = address.length * 8;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return `"${text}" has no prefix length`;
  const prefix = bits === undefined ? most : Number(bits);
  if (prefix > most) return `"${text}" has a prefix of more than ${most} bits`;
  if (address.some((byte, i) => (byte & ~maskAt(prefix, i)) !== 0)) {
    return `"${text}" has bits set behind its prefix; set them to 0`;
  }
  return { address, prefix };
}

/**
 * The key of a network: length of the prefix, then the address.
 *
 * @param network Address and prefix; bits behind the prefix do not count.
 */
export function networkKey({ address, prefix }: Network): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(prefix, ...address.map((byte, i) => byte & maskAt(prefix, i)));
}

/** Bits of byte `i` that are of the prefix. */
function maskAt(prefix: number, i: number): number {
  const bits = Math.min(8, Math.max(0, prefix - i * 8));
  return 0xFF00 >> bits & 0xFF;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = IPV4.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) === true ? Uint8Array.from(parts) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const [head = "", tail, more] = text.split("::");
  if (more !== undefined) return undefined;
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  if (before === undefined || after === undefined) return undefined;
  const missing = GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<number>(missing).fill(0), ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xFF]));
}

/** The 16-bit groups of one side of `::`; the last two may be an IPv4 address. */
function groupsOf(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    const ipv4 = i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = ipv4;
      groups.push(a << 8 | b, c << 8 | d);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
