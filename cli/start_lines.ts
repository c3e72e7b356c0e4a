import { PROGRAM_ROOT } from "../common/config/program.ts";
import { memoryFlags, memoryVariables } from "./memory.ts";
import { permissionFlags, startVariables } from "./permissions.ts";
import { programOf } from "./programs.ts";
import { settingsEnvironment } from "./settings_environment.ts";

/**
 * All that a command line is started with, as the launcher reads it.
 *
 * @param args Arguments of `immune`.
 * @returns Lines: `=` and the program, flags of `deno run`, `@` and a variable.
 */
export function startLines(args: readonly string[]): string[] {
  const root = decodeURIComponent(PROGRAM_ROOT.pathname);
  const surroundings = { root, environment: settingsEnvironment() };
  const variables = { ...memoryVariables(args), ...startVariables(args) };
  return [
    `=${programOf(args).name}.js`,
    ...memoryFlags(args),
    ...permissionFlags(args, surroundings),
    ...Object.entries(variables).map(([name, value]) => `@${name}=${value}`),
  ];
}
