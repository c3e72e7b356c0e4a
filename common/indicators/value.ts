import { addressKey, addressOfKey, canonicalAddress, isAddressKey } from "./address.ts";
import { canonicalDomain, canonicalUrl } from "./domain.ts";
import { canonicalName, canonicalPath } from "./path.ts";

/** Types of values with their numbers in a set's file; only ever appended. */
export const INDICATOR_TYPES = {
  md5: 1,
  sha1: 2,
  sha256: 3,
  /** Absolute path. */
  path: 4,
  /** Name of a file, in any folder. */
  name: 5,
  /** Address, or a network with its prefix. */
  ipv4: 6,
  ipv6: 7,
  /** Domain, or `*.` and a domain for all below it. */
  domain: 8,
  url: 9,
} as const;

/** Type of a value. */
export type IndicatorType = keyof typeof INDICATOR_TYPES;

/** Bytes of each hash. */
export const HASH_BYTES = { md5: 16, sha1: 20, sha256: 32 } as const;

/** A value in its one form, or why it has none. */
export type Canonical =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly why: string };

/** Hashes of no bytes: every empty file has them. */
const EMPTY_FILE: ReadonlySet<string> = new Set([
  "d41d8cd98f00b204e9800998ecf8427e",
  "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
]);
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();

/**
 * Brings a value into the one form in which it is listed and looked up.
 *
 * @param type Its type.
 * @param text As a feed or an event writes it.
 * @returns The value, or why it is none of that type.
 */
export function canonicalValue(type: IndicatorType, text: string): Canonical {
  switch (type) {
    case "md5":
    case "sha1":
    case "sha256":
      return canonicalHash(type, text);
    case "path":
      return canonicalPath(text);
    case "name":
      return canonicalName(text);
    case "ipv4":
    case "ipv6":
      return canonicalAddress(type, text);
    case "domain":
      return canonicalDomain(text);
    case "url":
      return canonicalUrl(text);
  }
}

/**
 * The bytes of a value: what the Bloom filter is asked for, and what the exact set compares. Hashes
 * are their bytes, addresses the length of their prefix and their bytes, the others UTF-8.
 *
 * @param type Its type.
 * @param value In its one form.
 */
export function keyOf(type: IndicatorType, value: string): Uint8Array<ArrayBuffer> {
  if (isHash(type)) return Uint8Array.fromHex(value);
  if (type === "ipv4" || type === "ipv6") return addressKey(value);
  return UTF8.encode(value);
}

/**
 * The value that has those bytes.
 *
 * @param type Its type.
 * @param key What {@linkcode keyOf} gave.
 * @returns The value in its one form.
 */
export function valueOfKey(type: IndicatorType, key: Uint8Array): string {
  if (isHash(type)) return key.toHex();
  return type === "ipv4" || type === "ipv6" ? addressOfKey(key) : TEXT.decode(key);
}

/**
 * Tells whether bytes can be the key of a value.
 *
 * @param type Its type.
 * @param key The bytes.
 */
export function isKey(type: IndicatorType, key: Uint8Array): boolean {
  if (isHash(type)) return key.length === HASH_BYTES[type];
  return type === "ipv4" || type === "ipv6" ? isAddressKey(type, key) : key.length > 0;
}

/**
 * The type of a hash by its length.
 *
 * @param text Hexadecimal digits.
 * @returns The type, or `undefined` when it is no hash.
 */
export function hashType(text: string): keyof typeof HASH_BYTES | undefined {
  if (!/^[0-9a-fA-F]{32,64}$/.test(text)) return undefined;
  const types = Object.keys(HASH_BYTES) as (keyof typeof HASH_BYTES)[];
  return types.find((type) => text.length === HASH_BYTES[type] * 2);
}

function isHash(type: IndicatorType): type is keyof typeof HASH_BYTES {
  return type in HASH_BYTES;
}

function canonicalHash(type: keyof typeof HASH_BYTES, text: string): Canonical {
  const value = text.trim().toLowerCase();
  if (value.length !== HASH_BYTES[type] * 2 || !/^[0-9a-f]+$/.test(value)) {
    return { ok: false, why: `it is not ${HASH_BYTES[type] * 2} hexadecimal digits` };
  }
  if (EMPTY_FILE.has(value)) return { ok: false, why: "every empty file has this hash" };
  return { ok: true, value };
}
