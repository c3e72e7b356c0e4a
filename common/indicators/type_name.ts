import { parseAddress } from "./address.ts";
import { canonicalDomain } from "./domain.ts";
import { hashType, type IndicatorType } from "./value.ts";

/** A value and what it is; an address tells its family itself. */
export interface TypedValue {
  readonly type: IndicatorType | "address";
  readonly value: string;
}

/** Names that feeds have for types, without dashes, underlines and case. */
const NAMES: Readonly<Record<string, TypedValue["type"] | "file">> = {
  md5: "md5",
  md5hash: "md5",
  filehashmd5: "md5",
  sha1: "sha1",
  sha1hash: "sha1",
  filehashsha1: "sha1",
  sha256: "sha256",
  sha256hash: "sha256",
  filehashsha256: "sha256",
  path: "path",
  filepath: "path",
  name: "name",
  filename: "file",
  file: "file",
  ip: "address",
  ipdst: "address",
  ipsrc: "address",
  ipaddress: "address",
  address: "address",
  cidr: "address",
  ipv4: "address",
  ipv6: "address",
  ipv4addr: "address",
  ipv6addr: "address",
  "ip:port": "address",
  domain: "domain",
  domainname: "domain",
  hostname: "domain",
  host: "domain",
  fqdn: "domain",
  url: "url",
  uri: "url",
};

/**
 * What a value is, by the name that a feed gives its type. `A|B` (as in MISP) is two values, of
 * which those count that stand for themselves: a hash beside a file name, not the name.
 *
 * @param name Type as the feed names it.
 * @param value The value as the feed writes it.
 * @returns Values with their types; none when the type is not one of ours.
 */
export function typedValues(name: string, value: string): readonly TypedValue[] {
  const names = name.split("|", 3);
  const values = value.split("|", 3);
  if (names.length === 2 && values.length === 2) {
    const parts = names.flatMap((each, i) => typedValue(each, values[i] ?? "") ?? []);
    const hashes = parts.filter(({ type }) =>
      type === "md5" || type === "sha1" || type === "sha256"
    );
    return hashes.length > 0 ? hashes : parts;
  }
  return names.length === 1 ? [typedValue(name, value) ?? []].flat() : [];
}

/**
 * What a value is, where nothing says so.
 *
 * @param text The value.
 * @returns Its type, or `undefined` when it looks like nothing that is listed.
 */
export function guessType(text: string): TypedValue | undefined {
  const value = text.trim();
  const hash = hashType(value);
  if (hash !== undefined) return { type: hash, value };
  if (value.startsWith("/")) return { type: "path", value };
  if (/^[a-z][a-z0-9+.-]*(?:\[:\]|:)\/\//i.test(value)) return { type: "url", value };
  if (typeof parseAddress(withoutPort(value)) !== "string") {
    return { type: "address", value: withoutPort(value) };
  }
  return canonicalDomain(value).ok ? { type: "domain", value } : undefined;
}

function typedValue(name: string, value: string): TypedValue | undefined {
  const plain = name.trim().toLowerCase().replaceAll(/[-_ ]/g, "");
  const type = Object.hasOwn(NAMES, plain) ? NAMES[plain] : undefined;
  if (type === undefined) return undefined;
  if (type === "file") return { type: value.includes("/") ? "path" : "name", value };
  return { type, value: type === "address" ? withoutPort(value.trim()) : value };
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without the port. */
function withoutPort(text: string): string {
  const [, host] = /^(\[[0-9a-fA-F:.]+\]|[\d.[\]]+):\d{1,5}$/.exec(text) ?? [];
  return host ?? text;
}
