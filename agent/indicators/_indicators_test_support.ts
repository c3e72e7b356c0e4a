import {
  encodeSet,
  type Indicator,
  IndicatorSet,
  type ListedValue,
  makeIndicator,
  SetImage,
} from "../../common/indicators/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { buildIndicators } from "./build.ts";
import type { LoadedIndicators } from "./messages.ts";

/** Now, for tests. */
export const NOW_MS = Date.parse("2026-01-01T00:00:00Z");

const builder = await Engine.create();

/** Indicators of a source, each of which must be one. */
export function indicators(
  listed: readonly (Pick<ListedValue, "type" | "value"> & Partial<ListedValue>)[],
): Indicator[] {
  return listed.map((each) => {
    const made = makeIndicator({ source: "feed", ...each }, NOW_MS);
    if (typeof made === "string") throw new Error(`${each.value}: ${made}`);
    return made;
  });
}

/** What a pipeline takes of them. */
export function loaded(listed: readonly Indicator[]): LoadedIndicators {
  const set = new IndicatorSet();
  set.add(listed, NOW_MS);
  const image = SetImage.read(encodeSet(set));
  return buildIndicators(image, { engine: builder, nowMs: NOW_MS });
}
