import { ImmuneError } from "../../common/config/errors.ts";
import type { SystemUser } from "./user.ts";

/** Modes of the folders below the state folder. */
const MODES = {
  /** The hive's user passes through it to its own folder, and sees nothing on the way. */
  state: 0o711,
  hive: 0o700,
  program: 0o755,
  file: 0o644,
} as const;

/** The program as the hive's user can read it. */
export interface HiveHome {
  /** The one file that is the program. */
  readonly program: string;
  /** Where Deno keeps what it compiled. */
  readonly cache: string;
}

/**
 * Makes the hive's part of a state folder: its own folder, and a copy of the program that its user
 * can read wherever the program itself lies.
 *
 * @param folder State folder, made where there is none.
 * @param options The user that the hive runs as, and the program.
 * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be made.
 */
export async function prepareHiveHome(
  folder: string,
  options: { readonly user?: SystemUser; readonly program: string },
): Promise<HiveHome> {
  const { user, program } = options;
  const home = { program: `${folder}/program/immune.js`, cache: `${folder}/hive/cache` };
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.mkdir(`${folder}/hive`, { recursive: true, mode: MODES.hive });
    await Deno.mkdir(`${folder}/program`, { recursive: true, mode: MODES.program });
    if (user !== undefined) {
      await Deno.chmod(folder, MODES.state);
      await Deno.chown(`${folder}/hive`, user.uid, user.gid);
    }
    await Deno.chmod(`${folder}/hive`, MODES.hive);
    await Deno.copyFile(program, `${home.program}.new`);
    await Deno.chmod(`${home.program}.new`, MODES.file);
    await Deno.rename(`${home.program}.new`, home.program);
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
