import { State } from "../common/config/mod.ts";

/**
 * The host's id. The state folder is opened for it, made where there is none, and let go again.
 *
 * @param folder The state folder.
 * @returns 64 lower-case hexadecimal digits.
 * @throws {ImmuneError} `STATE_UNUSABLE`, `STATE_LOCKED`.
 */
export function hostIdOf(folder: string): string {
  using state = State.open(folder);
  return state.hostId();
}
