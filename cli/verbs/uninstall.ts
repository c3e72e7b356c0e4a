import type { Command } from "commander";
import { isPinned } from "../../agent/enforce/enforcer.ts";
import { type Config, FileLock, ImmuneError, statePaths } from "../../common/config/mod.ts";
import { HIVE_FOLDER, STORE_FILE } from "../../hive/folder.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { HIVE_USER, removeHiveUser } from "../supervise/user.ts";
import { print, tell } from "../output.ts";

/** What lies in a state folder of ours; nothing else in it is touched. */
const OURS = ["agent", "hive", "program", "operator.token"] as const;

/** `immune uninstall` */
export function addUninstall(program: Command): void {
  const command = program.command("uninstall")
    .description("remove what the program put on this host besides its own folder")
    .option("--purge", "also remove the state: journal, keys, what the hive stored")
    .addHelpText(
      "after",
      "\nIt refuses while the agent or the hive runs, and while enforcement is pinned in the kernel:" +
        '\n"immune agent release" takes that away.',
    );
  addSettings(command).action(async (options: { readonly purge?: boolean }) => {
    const { values } = settingsOf(command);
    const { dir } = values.state;
    using _held = holdState(dir);
    refusePinned(values);
    if (Deno.uid() === 0 && await removeHiveUser()) print(`Removed user ${HIVE_USER}`);
    if (!options.purge) {
      print(`Kept ${dir}; with --purge it goes too`);
      return;
    }
    await purge(dir);
  });
}

/** Holds what an agent and a hive hold as long as they run; whichever was never here has no lock. */
function holdState(dir: string): Disposable {
  using locks = new DisposableStack();
  for (const path of [statePaths(dir).lock, `${dir}/${HIVE_FOLDER}/${STORE_FILE}.lock`]) {
    locks.use(FileLock.acquireExisting(path));
  }
  return locks.move();
}

/** The kernel would go on refusing what nobody is left to release. Only root can have pinned. */
function refusePinned({ enforcement: { pin_path: pinPath } }: Config): void {
  if (Deno.uid() !== 0) return;
  try {
    if (!isPinned(pinPath)) return;
  } catch (error) {
    if (!(error instanceof ImmuneError && error.code === "SENSOR_UNAVAILABLE")) throw error;
    tell(`immune: Cannot look whether enforcement is pinned in "${pinPath}": ${error.message}`);
    return;
  }
  throw new ImmuneError(
    "STATE_LOCKED",
    `Cannot uninstall: enforcement is pinned in "${pinPath}", and the kernel goes on refusing; ` +
      'take it away with "immune agent release" first',
  );
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
