import { encodeRecord, SOURCES } from "../../common/record/mod.ts";

/** Most users whose names are kept; the engine's table holds no more. */
export const USERS_MAX = 1024;

/**
 * Reads the user database.
 *
 * @param passwd Text of /etc/passwd (passwd(5)).
 * @returns Name of each user id, the first one where an id has several.
 */
export function parsePasswd(passwd: string): ReadonlyMap<number, string> {
  const users = new Map<number, string>();
  for (const line of passwd.split("\n")) {
    const [name = "", , id = ""] = line.split(":");
    const uid = Number(id);
    if (name === "" || !/^\d+$/.test(id) || users.has(uid)) continue;
    if (users.size === USERS_MAX) break;
    users.set(uid, name);
  }
  return users;
}

/**
 * User names as context records, for the engine's table and for a journal segment.
 *
 * @param users Name of each user id.
 * @param timeNs Nanoseconds since boot.
 * @returns Records of kind `user`, one after the other.
 */
export function userRecords(users: ReadonlyMap<number, string>, timeNs: bigint): Uint8Array[] {
  return [...users].map(([uid, name]) =>
    encodeRecord("user", {
      header: { uid, time_ns: timeNs, source: SOURCES.agent },
      slots: { name },
    })
  );
}
