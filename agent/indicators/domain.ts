import { canonicalValue, keyOf } from "../../common/indicators/value.ts";
import type { IndicatorLookup } from "./lookup.ts";
import { type IndicatorMatch, matchOf } from "./match.ts";

/**
 * Those who list a domain, or all below one that it is below.
 *
 * @param domain As an event has it.
 * @param options The indicators in force, Unix time in milliseconds, and the field that has it.
 * @returns Matches, one a listed value.
 */
export function domainMatches(
  domain: string,
  options: { readonly lookup: IndicatorLookup; readonly nowMs: number; readonly field: string },
): IndicatorMatch[] {
  const { lookup, field } = options;
  const canonical = canonicalValue("domain", domain);
  if (!canonical.ok) return [];
  const labels = canonical.value.split(".");
  return labels.flatMap((_, i) => {
    const value = i === 0 ? canonical.value : `*.${labels.slice(i).join(".")}`;
    const indicators = lookup.find("domain", keyOf("domain", value), options);
    return matchOf(indicators, { found: domain, field }) ?? [];
  });
}
