import type { Command } from "commander";
import { FileLock, ImmuneError, statePaths } from "../../common/config/mod.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { HIVE_USER, removeHiveUser } from "../supervise/user.ts";
import { print } from "../output.ts";

/** What lies in a state folder of ours; nothing else in it is touched. */
const OURS = ["agent", "hive", "program", "operator.token"] as const;

/** `immune uninstall` */
export function addUninstall(program: Command): void {
  const command = program.command("uninstall")
    .description("remove what the program put on this host besides its own folder")
    .option("--purge", "also remove the state: journal, keys, what the hive stored")
    .addHelpText("after", "\nNothing stays in the kernel when the agent has ended.");
  addSettings(command).action(async (options: { readonly purge?: boolean }) => {
    const { dir } = settingsOf(command).values.state;
    refuseWhileRunning(dir);
    if (Deno.uid() === 0 && await removeHiveUser()) print(`Removed user ${HIVE_USER}`);
    if (!options.purge) {
      print(`Kept ${dir}; with --purge it goes too`);
      return;
    }
    await purge(dir);
  });
}

function refuseWhileRunning(dir: string): void {
  const { agent, lock } = statePaths(dir);
  try {
    if (!Deno.statSync(agent).isDirectory) return;
  } catch {
    return;
  }
  using _held = FileLock.acquire(lock);
}

async function purge(dir: string): Promise<void> {
  try {
    for (const name of OURS) {
      await Deno.remove(`${dir}/${name}`, { recursive: true }).catch(ignoreMissing);
    }
    // A folder that holds something else stays, with what is not ours.
    const rest = [...Deno.readDirSync(dir)].map((entry) => entry.name);
    if (rest.length > 0) {
      print(`Kept ${dir}: it holds ${rest.join(", ")}, which is not the program's`);
      return;
    }
    await Deno.remove(dir);
    print(`Removed ${dir}`);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot remove "${dir}": ${why}`, { cause });
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
