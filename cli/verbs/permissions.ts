import type { Command } from "commander";
import { print } from "../output.ts";
import { startLines } from "../start_lines.ts";

/** `immune permissions` */
export function addPermissions(program: Command): void {
  const command = program.command("permissions")
    .description(
      "print what a command line is started with: program (=), exact Deno permissions and flags, " +
        "variables (@)",
    )
    .argument("[command...]", "verb and its arguments")
    .allowUnknownOption()
    .helpOption(false)
    .action(() => {
      // As they were typed: the parser has taken nothing of them.
      for (const line of startLines(command.args)) print(line);
    });
}
