import { fileURLToPath } from "node:url";
import { type Config, PROGRAM_ROOT } from "../common/config/mod.ts";

/** Folder of the rules that come with the program. */
export const SHIPPED_RULES: string = fileURLToPath(new URL("rules", PROGRAM_ROOT));

/**
 * Where rules are: what a configuration names, else those that come with the program.
 *
 * @param config The configuration.
 * @returns Paths of files and folders, in the order of the configuration.
 */
export function rulePaths(config: Config): readonly string[] {
  return config.rules.paths.length > 0 ? config.rules.paths : [SHIPPED_RULES];
}
