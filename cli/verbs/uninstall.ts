import type { Command } from "commander";
import { isPinned } from "../../agent/enforce/enforcer.ts";
import { type Config, FileLock, ImmuneError, statePaths } from "../../common/config/mod.ts";
import { HIVE_FOLDER, STORE_FILE } from "../../hive/folder.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { HIVE_USER, removeHiveUser } from "../supervise/user.ts";
import { addActJson, printAct } from "../acts.ts";
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
  addSettings(addActJson(command)).action(async (options: { readonly purge?: boolean }) => {
    const { values } = settingsOf(command);
    const { dir } = values.state;
    using _held = holdState(dir);
    refusePinned(values);
    const user = Deno.uid() === 0 && await removeHiveUser() ? HIVE_USER : null;
    if (user !== null && !values.output.json) print(`Removed user ${user}`);
    const { removed, kept, text } = options.purge
      ? await purge(dir)
      : { removed: false, kept: namesIn(dir), text: `Kept ${dir}; with --purge it goes too` };
    printAct({ did: { state: dir, removed, kept, user }, text }, values.output);
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

/** What became of the state folder. */
interface Purged {
  readonly removed: boolean;
  /** Names of what is still in it. */
  readonly kept: readonly string[];
  readonly text: string;
}

async function purge(dir: string): Promise<Purged> {
  try {
    for (const name of OURS) {
      await Deno.remove(`${dir}/${name}`, { recursive: true }).catch(ignoreMissing);
    }
    // A folder that holds something else stays, with what is not ours.
    const kept = namesIn(dir);
    if (kept.length > 0) {
      const text = `Kept ${dir}: it holds ${kept.join(", ")}, which is not the program's`;
      return { removed: false, kept, text };
    }
    await Deno.remove(dir).catch(ignoreMissing);
    return { removed: true, kept, text: `Removed ${dir}` };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot remove "${dir}": ${why}`, { cause });
  }
}

function namesIn(dir: string): string[] {
  try {
    return [...Deno.readDirSync(dir)].map(({ name }) => name);
  } catch (error) {
    ignoreMissing(error);
    return [];
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
