import { ImmuneError } from "../common/config/mod.ts";

/** Name of the audit log's folder in the hive's. */
export const AUDIT_FOLDER = "audit";
/** Name of the store's file in the hive's folder. */
export const STORE_FILE = "store.db";
/** Name of the hive's folder in the state folder. */
export const HIVE_FOLDER = "hive";

/**
 * Makes the hive's folder (mode 0700) where there is none.
 *
 * @param state The state folder.
 * @returns Path of the hive's folder.
 * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be made, is another user's or no folder.
 */
export function openHiveFolder(state: string): string {
  const path = `${state}/${HIVE_FOLDER}`;
  const refuse = (why: string, cause?: unknown): never => {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use hive folder "${path}": ${why}; name another state folder with --state`,
      { cause },
    );
  };
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    const info = Deno.lstatSync(path);
    const uid = Deno.uid();
    if (!info.isDirectory) refuse("it is no folder of its own");
    if (info.uid !== null && uid !== null && info.uid !== uid) {
      refuse(`it belongs to uid ${info.uid}, not ${uid}`);
    }
    if (((info.mode ?? 0) & 0o077) !== 0) Deno.chmodSync(path, 0o700);
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
  return path;
}
