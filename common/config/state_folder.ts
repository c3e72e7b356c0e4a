/** State folder of root. */
export const ROOT_STATE_FOLDER = "/var/lib/immune";

/**
 * The state folder when none is named.
 *
 * @param options `uid` of the process, and the environment for `XDG_STATE_HOME` and `HOME` (XDG
 * Base Directory Specification 0.8).
 * @returns `/var/lib/immune` for root, else `immune` in the user's state home.
 */
export function defaultStateFolder(options: {
  readonly uid: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): string {
  const { uid, environment } = options;
  if (uid === 0) return ROOT_STATE_FOLDER;
  const state = environment["XDG_STATE_HOME"];
  if (state?.startsWith("/")) return `${state}/immune`;
  const home = environment["HOME"];
  return home?.startsWith("/") ? `${home}/.local/state/immune` : `/var/tmp/immune-${uid}`;
}
