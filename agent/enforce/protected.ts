import { GUARDIAN_PROGRAM } from "../sensors/library.ts";

/**
 * Programs that nothing is ever refused to, nor their exec: without them a host cannot be reached or
 * put right. Those that a host does not have are left out.
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
];
