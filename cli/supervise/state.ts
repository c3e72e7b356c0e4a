import { ImmuneError } from "../../common/config/errors.ts";
import { HIVE_WORKERS } from "../../hive/workers.ts";
import { programOf } from "../programs.ts";
import type { SystemUser } from "./user.ts";

/** Modes of the folders below the state folder. */
const MODES = {
  /** The hive's user passes through it to its own folder, and sees nothing on the way. */
  state: 0o711,
  hive: 0o700,
  program: 0o755,
  file: 0o644,
} as const;

/** The hive's files of the program. */
const FILES = [programOf(["hive"]), ...HIVE_WORKERS].map(({ name }) => `${name}.js`);

/** The program as the hive's user can read it. */
export interface HiveHome {
  /** Folder with its files. */
  readonly programs: string;
  /** Where Deno keeps what it compiled. */
  readonly cache: string;
}

/**
 * Makes the hive's part of a state folder: its own folder, and a copy of what its user
 * runs, which it can read wherever the program itself lies.
 *
 * @param folder State folder, made where there is none.
 * @param options The user that the hive runs as, and the folder with the program's files.
 * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be made.
 */
export async function prepareHiveHome(
  folder: string,
  options: { readonly user?: SystemUser; readonly programs: string },
): Promise<HiveHome> {
  const { user, programs } = options;
  const home = { programs: `${folder}/program`, cache: `${folder}/hive/cache` };
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.mkdir(`${folder}/hive`, { recursive: true, mode: MODES.hive });
    await Deno.mkdir(home.programs, { recursive: true, mode: MODES.program });
    if (user !== undefined) {
      await Deno.chmod(folder, MODES.state);
      await Deno.chown(`${folder}/hive`, user.uid, user.gid);
    }
    await Deno.chmod(`${folder}/hive`, MODES.hive);
    for (const file of FILES) {
      const copy = `${home.programs}/${file}`;
      await Deno.copyFile(`${programs}/${file}`, `${copy}.new`);
      await Deno.chmod(`${copy}.new`, MODES.file);
      await Deno.rename(`${copy}.new`, copy);
    }
    return home;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot prepare state folder "${folder}": ${why}; name another with --state`,
      { cause },
    );
  }
}
