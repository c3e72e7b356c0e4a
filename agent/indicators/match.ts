import type { Indicator } from "../../common/indicators/indicator.ts";
import type { IndicatorType } from "../../common/indicators/value.ts";
import { SEVERITIES } from "../../common/sigma/severity.ts";

/** A listed value that an event has. */
export interface IndicatorMatch {
  readonly type: IndicatorType;
  /** As it is listed: a network, where the event has an address of it. */
  readonly value: string;
  /** As the event has it. */
  readonly found: string;
  /** ECS path of the field that has it. */
  readonly field: string;
  /** Those who list it, the most severe and sure first; at least one. */
  readonly indicators: readonly [Indicator, ...Indicator[]];
}

/**
 * A match, when somebody lists the value.
 *
 * @param indicators Those in force that list it.
 * @param about Where it was found.
 */
export function matchOf(
  indicators: readonly Indicator[],
  about: Pick<IndicatorMatch, "found" | "field">,
): IndicatorMatch | undefined {
  const [first, ...others] = [...indicators].sort((a, b) =>
    SEVERITIES[b.severity] - SEVERITIES[a.severity] || (b.confidence ?? 0) - (a.confidence ?? 0)
  );
  if (first === undefined) return undefined;
  return { ...about, type: first.type, value: first.value, indicators: [first, ...others] };
}
