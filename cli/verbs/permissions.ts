import type { Command } from "commander";
import { fileURLToPath } from "node:url";
import { PROGRAM_ROOT } from "../../common/config/mod.ts";
import { memoryFlags, memoryVariables } from "../memory.ts";
import { permissionFlags, startVariables } from "../permissions.ts";
import { settingsEnvironment } from "../settings.ts";
import { print } from "../output.ts";

/** `immune permissions` */
export function addPermissions(program: Command): void {
  const command = program.command("permissions")
    .description(
      "print the exact Deno permissions, flags and variables (@) that a command line needs",
    )
    .argument("[command...]", "verb and its arguments")
    .allowUnknownOption()
    .helpOption(false)
    .action(() => {
      // As they were typed: the parser has taken nothing of them.
      const args = command.args;
      const root = fileURLToPath(PROGRAM_ROOT);
      const surroundings = { root, environment: settingsEnvironment() };
      for (const flag of memoryFlags(args)) print(flag);
      for (const flag of permissionFlags(args, surroundings)) print(flag);
      const variables = { ...memoryVariables(args), ...startVariables(args) };
      // A variable that it must be started with.
      for (const [name, value] of Object.entries(variables)) {
        print(`@${name}=${value}`);
      }
    });
}
