import { ImmuneError } from "../common/config/errors.ts";
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
 * @throws {ImmuneError} `CONFIG_INVALID` when a path or a value would make a line of its own.
 */
export function startLines(args: readonly string[]): string[] {
  const root = decodeURIComponent(PROGRAM_ROOT.pathname);
  const surroundings = { root, environment: settingsEnvironment() };
  const variables = { ...memoryVariables(args), ...startVariables(args) };
  const lines = [
    `=${programOf(args).name}.js`,
    ...memoryFlags(args),
    ...permissionFlags(args, surroundings),
    ...Object.entries(variables).map(([name, value]) => `@${name}=${value}`),
  ];
  const broken = lines.find((line) => /[\n\r]/.test(line));
  if (broken === undefined) return lines;
  // Whoever names a file chooses what the second line says: a flag, a variable, a program.
  throw new ImmuneError(
    "CONFIG_INVALID",
    `Cannot start with ${JSON.stringify(broken)}: a path holds a line break; name it otherwise`,
  );
}
