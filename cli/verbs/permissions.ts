import type { Command } from "commander";
import { fileURLToPath } from "node:url";
import { PROGRAM_ROOT } from "../../common/config/mod.ts";
import { permissionFlags } from "../permissions.ts";
import { settingsEnvironment } from "../settings.ts";

/** `immune permissions` */
export function addPermissions(program: Command): void {
  const command = program.command("permissions")
    .description("print the exact Deno permissions that a command line needs")
    .argument("[command...]", "verb and its arguments")
    .allowUnknownOption()
    .helpOption(false)
    .action(() => {
      // As they were typed: the parser has taken nothing of them.
      const args = command.args;
      const root = fileURLToPath(PROGRAM_ROOT);
      for (const flag of permissionFlags(args, { root, environment: settingsEnvironment() })) {
        console.log(flag);
      }
    });
}
