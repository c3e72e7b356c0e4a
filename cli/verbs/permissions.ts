import type { Command } from "commander";
import { print } from "../output.ts";
import { startLines } from "../start_lines.ts";

/** What asks for help. */
const HELP: readonly string[] = ["-h", "--help"];

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
      const [first = "", ...rest] = command.args;
      // Of a verb behind it they are that verb's.
      if (rest.length === 0 && HELP.includes(first)) return command.outputHelp();
      // As they were typed: the parser has taken nothing of them.
      for (const line of startLines(command.args)) print(line);
    });
}
