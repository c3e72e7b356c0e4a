import { ImmuneError } from "../common/config/mod.ts";

/** An address to listen on. */
export interface Address {
  /** Name or address; an IPv6 address without brackets. */
  readonly hostname: string;
  /** 0 = any free one. */
  readonly port: number;
}

/**
 * Reads HOST:PORT.
 *
 * @param text An IPv6 host stands in brackets.
 * @returns The address.
 * @throws {ImmuneError} `CONFIG_INVALID` when it is none.
 */
export function parseAddress(text: string): Address {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const [, ipv6, name, port] = found ?? [];
  const hostname = ipv6 ?? name;
  if (hostname === undefined || Number(port) > 65_535) {
    throw new ImmuneError(
      "CONFIG_INVALID",
      `Cannot read address "${text}": it must be HOST:PORT, an IPv6 host in brackets`,
    );
  }
  return { hostname, port: Number(port) };
}

/**
 * HOST:PORT of an address.
 *
 * @param address The address.
 */
export function addressText({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * Whether only this host reaches an address: 127.0.0.0/8 (RFC 1122, 3.2.1.3), ::1 (RFC 4291,
 * 2.5.3) or `localhost` (RFC 6761, 6.3).
 *
 * @param hostname Name or address.
 */
export function isLoopback(hostname: string): boolean {
  if (hostname.toLowerCase() === "localhost" || hostname === "::1") return true;
  const parts = hostname.split(".");
  return parts.length === 4 && parts[0] === "127" &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}
