import type { TechniqueTable } from "../../common/techniques/mod.ts";
import type { CoveredTechnique } from "./coverage.ts";

/** Format of layers, https://github.com/mitre-attack/attack-navigator/tree/master/layers. */
const LAYER_VERSION = "4.5";
const NAVIGATOR_VERSION = "5.1.0";
/** Most rules whose titles stand in the comment of a technique. */
const TITLES_MAX = 20;

/**
 * A layer for the ATT&CK Navigator: each covered technique, scored by its rules.
 *
 * @param covered Covered techniques; those of ATLAS are left out, as its navigator has a domain of
 * its own.
 * @param table Version of ATT&CK.
 * @returns A JSON document.
 */
export function navigatorLayer(
  covered: readonly CoveredTechnique[],
  table: TechniqueTable,
): Readonly<Record<string, unknown>> {
  const attack = covered.filter(({ framework }) => framework === "attack");
  return {
    name: "Sentinel Immune: rules",
    versions: { attack: table.attack.version, navigator: NAVIGATOR_VERSION, layer: LAYER_VERSION },
    domain: "enterprise-attack",
    description: "Techniques that the loaded rules are tagged with; the score counts rules",
    filters: { platforms: ["Linux", "Containers"] },
    techniques: attack.map(({ id, rules }) => ({
      techniqueID: id,
      score: rules.length,
      comment: rules.slice(0, TITLES_MAX).map(({ title }) => title).join("\n"),
      enabled: true,
      showSubtechniques: !id.includes("."),
    })),
    gradient: {
      colors: ["#cfe8ff", "#1f6feb"],
      minValue: 0,
      maxValue: Math.max(1, ...attack.map(({ rules }) => rules.length)),
    },
  };
}
