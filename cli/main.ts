import { Command, CommanderError } from "commander";
import { ImmuneError } from "../common/config/errors.ts";
import { OutputClosed, print, tell } from "./output.ts";
import { renderError } from "./render/error.ts";
import type { AddVerb, Verbs } from "./verbs/mod.ts";
import { verbOf } from "./programs.ts";
import { VERSION } from "./version.ts";

/** Exit code for wrong usage. */
const EXIT_USAGE = 2;

const AFTER_HELP = `
Exit codes: 0 done, 1 failure, 2 wrong usage.
Settings: flags over environment (IMMUNE_...) over immune.toml; see "immune config show".`;

/**
 * Runs this process's command line, and ends it with its exit code.
 *
 * @param verbs Those that it knows.
 */
export async function runProgram(verbs: Verbs): Promise<never> {
  Deno.exit(await main(Deno.args, verbs));
}

/**
 * Runs one command line.
 *
 * @param args Arguments after the program's name, the verb first.
 * @param verbs Those that it knows.
 * @returns Exit code: 0 done, 1 failure, 2 wrong usage.
 */
export async function main(
  args: readonly string[],
  verbs: Verbs,
): Promise<number> {
  let code = 0;
  const program = new Command("immune")
    .description("Sentinel Immune: sees what AI workloads do on a host, and says so")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .showHelpAfterError('(see "immune --help")')
    .addHelpText("after", AFTER_HELP)
    .configureOutput({
      writeOut: (text) => print(text.trimEnd()),
      writeErr: (text) => tell(text.trimEnd()),
    })
    .exitOverride();
  for (const addVerb of await verbsFor(args, verbs)) {
    addVerb(program, (exit) => {
      code = exit;
    });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version end this way too, with 0; without a verb the help goes to stderr.
      return error.exitCode === 0 ? 0 : EXIT_USAGE;
    }
    if (error instanceof OutputClosed) return 0;
    tell(renderError(error));
    return error instanceof ImmuneError ? error.exit : 1;
  }
}

/** The verb that was typed; all where none was, as for the help. */
function verbsFor(args: readonly string[], verbs: Verbs): Promise<AddVerb[]> {
  const typed = verbOf(args) ?? "";
  const load = Object.hasOwn(verbs, typed) ? verbs[typed] : undefined;
  return Promise.all(load === undefined ? Object.values(verbs).map((each) => each()) : [load()]);
}
