import { fileURLToPath } from "node:url";
import { type Config, PROGRAM_ROOT } from "../common/config/mod.ts";
import { readRuleSources, type RuleSource } from "../common/sigma/mod.ts";

/** Folder of the rules that come with the program. */
export const SHIPPED_RULES: string = fileURLToPath(new URL("rules", PROGRAM_ROOT));

/**
 * Reads the rules that a configuration names, else those that come with the program.
 *
 * @param config The configuration.
 * @returns Rule files in the order of the configuration.
 * @throws {ImmuneError} `FILE_UNREADABLE` when a path cannot be read.
 */
export async function readRules(config: Config): Promise<RuleSource[]> {
  const paths = config.rules.paths.length > 0 ? config.rules.paths : [SHIPPED_RULES];
  const sources: RuleSource[] = [];
  for (const path of paths) sources.push(...await readRuleSources(path));
  return sources;
}
