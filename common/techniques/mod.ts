/**
 * The techniques of ATT&CK and ATLAS that rules are tagged with, and older ids of what these
 * catalogues have renumbered.
 *
 * @example
 * ```ts
 * import { parseTechniques, tacticOf, techniqueOf } from "./mod.ts";
 *
 * const table = parseTechniques(await Deno.readTextFile("rules/techniques.json"));
 * if (techniqueOf("attack.t1562.001", table)?.id !== "T1685") throw new Error("not bridged");
 * if (tacticOf("attack.execution", table)?.tactic !== "execution") throw new Error("no tactic");
 * ```
 *
 * @module
 */
export {
  type Framework,
  type FrameworkTable,
  parseTechniques,
  tacticOf,
  type Technique,
  techniqueOf,
  type TechniqueTable,
} from "./techniques.ts";
