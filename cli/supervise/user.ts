import { ImmuneError } from "../../common/config/errors.ts";

/** System user that the hive runs as. */
export const HIVE_USER = "immune-hive";
/** Programs that make and remove it. */
export const USER_PROGRAMS = { add: "/usr/sbin/useradd", remove: "/usr/sbin/userdel" } as const;

/** A system user. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Looks a user up.
 *
 * @param passwd Text of /etc/passwd.
 * @param name User name.
 */
export function findUser(passwd: string, name: string): SystemUser | undefined {
  for (const line of passwd.split("\n")) {
    const [user, , uid = "", gid = ""] = line.split(":");
    if (user === name && /^\d+$/.test(uid) && /^\d+$/.test(gid)) {
      return { uid: Number(uid), gid: Number(gid) };
    }
  }
  return undefined;
}

/**
 * The hive's user, made where there is none: no password, no shell, no home.
 *
 * @returns The user.
 * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be made, or is root.
 */
export async function ensureHiveUser(): Promise<SystemUser> {
  const known = findUser(Deno.readTextFileSync("/etc/passwd"), HIVE_USER);
  if (known === undefined) {
    await runUserProgram(USER_PROGRAMS.add, [
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir",
      "/nonexistent",
      "--shell",
      "/usr/sbin/nologin",
      HIVE_USER,
    ]);
  }
  const user = known ?? findUser(Deno.readTextFileSync("/etc/passwd"), HIVE_USER);
  if (user === undefined || user.uid === 0) {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot run the hive as user "${HIVE_USER}": ${user ? "it is root" : "it could not be made"}`,
    );
  }
  return user;
}

/**
 * Removes the hive's user and its group.
 *
 * @returns False when there was none.
 * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be removed.
 */
export async function removeHiveUser(): Promise<boolean> {
  if (findUser(Deno.readTextFileSync("/etc/passwd"), HIVE_USER) === undefined) return false;
  await runUserProgram(USER_PROGRAMS.remove, [HIVE_USER]);
  return true;
}

async function runUserProgram(program: string, args: readonly string[]): Promise<void> {
  const fail = (why: string): never => {
    throw new ImmuneError("STATE_UNUSABLE", `Cannot change user "${HIVE_USER}": ${why}`);
  };
  try {
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) fail(new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) fail(`"${program}" is not there`);
    throw error;
  }
}
