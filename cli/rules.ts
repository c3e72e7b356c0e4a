import { fileURLToPath } from "node:url";
import { type Config, PROGRAM_ROOT } from "../common/config/mod.ts";

/**
 * Packs that come with the program and are on. `rules/costly` is not: its rules need the wide
 * stream of opens.
 */
export const SHIPPED_RULES: readonly string[] = ["ai", "linux", "correlations"].map(shipped);

/** Roles of processes that come with the program; they hold beside those of the user's rules. */
export const SHIPPED_ROLES: string = shipped("roles");

/** Table of techniques that comes with the program. */
export const SHIPPED_TECHNIQUES: string = shipped("techniques.json");

/**
 * Where rules are: what a configuration names, else those that come with the program; then the
 * roles that come with it, which hold beside those that the rules name.
 *
 * @param config The configuration.
 * @returns Paths of files and folders, in the order of the configuration.
 */
export function rulePaths(config: Config): readonly string[] {
  return [...config.rules.paths.length > 0 ? config.rules.paths : SHIPPED_RULES, SHIPPED_ROLES];
}

function shipped(name: string): string {
  return fileURLToPath(new URL(`rules/${name}`, PROGRAM_ROOT));
}
