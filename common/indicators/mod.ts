/**
 * Indicators: values that somebody listed as signs of compromise.
 *
 * @example
 * ```ts
 * import { IndicatorSet, makeIndicator } from "./mod.ts";
 *
 * const nowMs = Date.parse("2026-01-01T00:00:00Z");
 * const set = new IndicatorSet();
 * const listed = makeIndicator(
 *   { type: "domain", value: "C2[.]Example.", source: "feed", expiresMs: nowMs + 1000 },
 *   nowMs,
 * );
 * if (typeof listed === "string") throw new Error(listed);
 * set.add([listed], nowMs);
 * console.assert(listed.value === "c2.example" && set.expire(nowMs + 1000) === 1);
 * ```
 *
 * @module
 */
export { parseAddress } from "./address.ts";
export { hostOfUrl } from "./domain.ts";
export type { Feed, FeedOptions, FeedProblem } from "./feed.ts";
export * from "./indicator.ts";
export * from "./limits.ts";
export * from "./read.ts";
export * from "./set.ts";
export * from "./set_file.ts";
export * from "./store.ts";
export {
  type Canonical,
  canonicalValue,
  HASH_BYTES,
  hashType,
  INDICATOR_TYPES,
  type IndicatorType,
  isKey,
  keyOf,
  valueOfKey,
} from "./value.ts";
