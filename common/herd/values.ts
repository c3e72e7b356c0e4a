import { isIPv4, isIPv6 } from "node:net";
import {
  ANTIBODY_RULE_BYTES_MAX,
  ANTIBODY_VALUE_BYTES_MAX,
  type AntibodyType,
  type Entry,
} from "./antibody.ts";

const UTF8 = new TextEncoder();
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029\ufffd]/u;
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const DOMAIN_LENGTH_MAX = 253;

/**
 * Why a value is not in the one form that its type has. There is one form of everything, so that
 * two spellings of one thing are not two antibodies, and none slips past a list.
 *
 * @param entry Type and value.
 * @returns A line for people, or `undefined` when it is in that form.
 */
export function malformed({ type, value }: Entry): string | undefined {
  const bytes = UTF8.encode(value).length;
  const most = type === "rule" ? ANTIBODY_RULE_BYTES_MAX : ANTIBODY_VALUE_BYTES_MAX;
  if (bytes === 0 || bytes > most) return `It has ${bytes} bytes; 1 to ${most} are taken`;
  const text = type === "rule" ? value.replaceAll(/[\n\t]/g, " ") : value;
  if (CONTROL.test(text) || !value.isWellFormed()) {
    return "It has control or invisible characters";
  }
  return FORMS[type](value);
}

const FORMS: Readonly<Record<AntibodyType, (value: string) => string | undefined>> = {
  hash: (value) =>
    /^[0-9a-f]{64}$/.test(value) ? undefined : "It is no SHA-256 of 64 lower-case digits",
  path: (value) => {
    const parts = value.split("/").slice(1);
    if (!value.startsWith("/")) return "It is no absolute path";
    if (parts.some((part) => part === "" || part === "." || part === "..")) {
      return "It is no path without empty parts, . and ..";
    }
    return /[*?\[\]\\]/.test(value) ? "It has a wildcard; one file is meant" : undefined;
  },
  domain: (value) => {
    const labels = value.split(".");
    const isName = value.length <= DOMAIN_LENGTH_MAX && labels.length >= 2 &&
      labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? "");
    return isName ? undefined : "It is no lower-case domain of two labels or more";
  },
  address: (value) => {
    if (isIPv4(value)) return undefined;
    if (!isIPv6(value) || value.includes("%")) return "It is no IPv4 or IPv6 address";
    // An IPv4 address in IPv6 clothes would pass by the lists of IPv4.
    if (canonicalIpv6(value) !== value) return "It is not written as RFC 5952 has it";
    return /^::(ffff:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}$/.test(value) || /^64:ff9b:/.test(value)
      ? "It is an IPv4 address written as IPv6; write it as IPv4"
      : undefined;
  },
  port: (value) =>
    /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535
      ? undefined
      : "It is no port from 1 to 65535",
  rule: () => undefined,
};

/** The form of RFC 5952, as the URL standard's serialiser writes it. */
function canonicalIpv6(value: string): string {
  return new URL(`http://[${value}]/`).hostname.slice(1, -1);
}
