import { assertEquals } from "@std/assert";
import { readDoas, readLogin, readPkexec, readSu } from "./other_programs.ts";
import { readPam } from "./pam.ts";

Deno.test("readPam() reads failures of programs that say nothing themselves", () => {
  const failure = "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp " +
    "ruser=ada rhost=192.0.2.4  user=ada user=root";
  const reading = readPam(failure);
  assertEquals(reading, {
    kind: "auth_failure",
    service: "vsftpd",
    outcome: "failure",
    method: "password",
    user: "ada user=root",
    unknownUser: false,
    terminal: "ftp",
    from: "192.0.2.4",
  });
});

Deno.test("readPam() takes sessions for logins, but not those of jobs and of sudo", () => {
  const opened = "session opened for user ada(uid=1000) by (uid=0)";
  const gdm = readPam(`pam_unix(gdm-password:session): ${opened}`);
  assertEquals(typeof gdm === "object" && [gdm.kind, gdm.user], ["login", "ada"]);
  for (const service of ["cron", "sudo", "su", "systemd-user", "sshd"]) {
    assertEquals(readPam(`pam_unix(${service}:session): ${opened}`), "repeated", service);
  }
  assertEquals(readPam("session opened for user ada"), undefined);
});

Deno.test("readSu() reads who became whom", () => {
  const reading = readSu("(to root) ada on pts/0");
  assertEquals(typeof reading === "object" && [reading.user, reading.targetUser, reading.outcome], [
    "ada",
    "root",
    "success",
  ]);
  const failed = readSu("FAILED SU (to root) ada on none");
  assertEquals(typeof failed === "object" && [failed.outcome, failed.terminal], [
    "failure",
    undefined,
  ]);
});

Deno.test("readLogin() reads terminals", () => {
  const login = readLogin("LOGIN ON tty1 BY ada");
  assertEquals(typeof login === "object" && [login.kind, login.user, login.terminal], [
    "login",
    "ada",
    "tty1",
  ]);
  const root = readLogin("ROOT LOGIN  ON tty1".replace("  ", " "));
  assertEquals(typeof root === "object" && root.user, "root");
  const failed = readLogin("FAILED LOGIN (2) ON '/dev/tty1' FOR 'x', Authentication failure");
  assertEquals(typeof failed === "object" && [failed.kind, failed.user], ["auth_failure", "x"]);
});

Deno.test("readPkexec() and readDoas() read commands", () => {
  const pkexec = readPkexec(
    "ada: Executing command [USER=root] [TTY=/dev/pts/0] [CWD=/home/ada] [COMMAND=/usr/bin/id x]",
  );
  assertEquals(typeof pkexec === "object" && [pkexec.user, pkexec.command, pkexec.outcome], [
    "ada",
    "/usr/bin/id x",
    "success",
  ]);
  const doas = readDoas("ada ran command id -u as root from /home/ada");
  assertEquals(typeof doas === "object" && [doas.user, doas.targetUser, doas.command], [
    "ada",
    "root",
    "id -u",
  ]);
  const failed = readDoas("command not permitted for ada: sh");
  assertEquals(typeof failed === "object" && failed.outcome, "failure");
});
