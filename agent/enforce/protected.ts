import { GUARDIAN_PROGRAM, HASHER_PROGRAM } from "../sensors/library.ts";

/**
 * Programs that nothing is ever refused to where the host itself runs them, nor their exec: without
 * them a host cannot be reached or put right. Those that a host does not have are left out.
 */
export const PROTECTED_PROGRAMS: readonly string[] = [
  "/sbin/init",
  "/lib/systemd/systemd",
  "/usr/lib/systemd/systemd",
  "/lib/systemd/systemd-journald",
  "/lib/systemd/systemd-logind",
  "/lib/systemd/systemd-udevd",
  "/lib/systemd/systemd-networkd",
  "/usr/bin/dbus-daemon",
  "/usr/bin/dbus-broker",
  "/usr/sbin/sshd",
  "/usr/lib/openssh/sshd-session",
  "/usr/lib/openssh/sshd-auth",
  "/sbin/agetty",
  "/bin/login",
  "/sbin/sulogin",
  GUARDIAN_PROGRAM,
  HASHER_PROGRAM,
];

/** Accounts that some of them give root up for; the first that a host has. */
export const PROTECTED_ACCOUNTS: Readonly<Record<string, readonly string[]>> = {
  "/lib/systemd/systemd-networkd": ["systemd-network"],
  "/usr/bin/dbus-daemon": ["messagebus", "dbus"],
  "/usr/bin/dbus-broker": ["messagebus", "dbus"],
};

/**
 * Ids of those accounts on a host.
 *
 * @param passwd Text of /etc/passwd (passwd(5)).
 * @returns By program; one whose account the host lacks is not among them.
 */
export function protectedUsers(passwd: string): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const line of passwd.split("\n")) {
    const [name = "", , id = ""] = line.split(":");
    if (/^\d{1,10}$/.test(id) && !ids.has(name)) ids.set(name, Number(id));
  }
  return new Map(
    Object.entries(PROTECTED_ACCOUNTS).flatMap(([path, names]) => {
      const id = names.map((name) => ids.get(name)).find((found) => found !== undefined);
      return id === undefined ? [] : [[path, id] as const];
    }),
  );
}
