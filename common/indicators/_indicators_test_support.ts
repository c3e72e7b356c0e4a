import fc from "fast-check";
import { type Indicator, type ListedValue, makeIndicator } from "./indicator.ts";
import type { IndicatorType } from "./value.ts";

/** Now, for tests. */
export const NOW_MS = Date.parse("2026-01-01T00:00:00Z");

/** An indicator that must be one. */
export function indicator(listed: Partial<ListedValue> = {}, nowMs = NOW_MS): Indicator {
  const made = makeIndicator(
    { type: "path", value: "/tmp/x", source: "feed", ...listed },
    nowMs,
  );
  if (typeof made === "string") throw new Error(`${JSON.stringify(listed)}: ${made}`);
  return made;
}

const HEX = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((hash) => hash.toHex());
const PART = fc.stringMatching(/^[a-zA-Z0-9._ é漢-]{1,12}$/)
  .filter((part) => part.trim() === part && !/^\.{1,2}$/.test(part));

/** Values that feeds write, by type. */
export const VALUES: Readonly<Record<IndicatorType, fc.Arbitrary<string>>> = {
  md5: HEX(16),
  sha1: HEX(20),
  sha256: HEX(32),
  path: fc.array(PART, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
  name: PART,
  ipv4: fc.oneof(fc.ipV4(), fc.integer({ min: 8, max: 31 }).map((bits) => `64.0.0.0/${bits}`)),
  ipv6: fc.oneof(
    fc.ipV6().filter((text) => !/^(?:0*:)*:?(?:ffff:)?\d+\.|^::ffff:/i.test(text)),
    fc.integer({ min: 16, max: 127 }).map((bits) => `2001::/${bits}`),
  ),
  domain: fc.oneof(fc.domain(), fc.domain().map((domain) => `*.${domain}`)),
  url: fc.webUrl(),
};

/** A type and a value of it, as a feed writes it. */
export const TYPED: fc.Arbitrary<{ type: IndicatorType; value: string }> = fc.oneof(
  ...(Object.entries(VALUES) as [IndicatorType, fc.Arbitrary<string>][]).map(([type, values]) =>
    values.map((value) => ({ type, value }))
  ),
);
