import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { JOURNAL_VALUE_BYTES_MAX } from "./journal_file.ts";
import type { Told } from "./log_event.ts";
import { readDoas, readLogin, readPkexec, readSu } from "./other_programs.ts";
import { readPam } from "./pam.ts";
import { readLine } from "./read_line.ts";

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
  for (const service of ["cron", "atd", "sudo", "su", "doas", "systemd-user", "sshd"]) {
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
});

Deno.test("readLogin() reads what login of shadow and of util-linux write of who was let in", () => {
  for (
    const [message, user, terminal, from] of [
      ["ROOT LOGIN  on '/dev/pts/0'", "root", "pts/0", undefined],
      ["ROOT LOGIN  on '/dev/pts/0' from '192.0.2.9'", "root", "pts/0", "192.0.2.9"],
      ["'ada' logged in  on '/dev/tty1'", "ada", "tty1", undefined],
      ["ROOT LOGIN ON tty1 FROM 192.0.2.9", "root", "tty1", "192.0.2.9"],
      ["LOGIN ON pts/0 BY ada FROM h.example", "ada", "pts/0", "h.example"],
    ] as const
  ) {
    const login = told(message);
    assertEquals([login.kind, login.user, login.terminal, login.from], [
      "login",
      user,
      terminal,
      from,
    ]);
  }
  const session = "session opened for user ada(uid=1000) by LOGIN(uid=0)";
  const opened = readPam(`pam_unix(login:session): ${session}`);
  assertEquals(typeof opened === "object" && [opened.kind, opened.user], ["login", "ada"]);
  assertEquals(readPam(`pam_unix(login:session): ${session.replace("ada", "root")}`), "repeated");
});

Deno.test("readLogin() reads what login of shadow and of util-linux write of who was turned away", () => {
  const why = "Authentication failure";
  for (
    const [message, user, terminal, from] of [
      [`FAILED LOGIN (1) on '/dev/pts/0' FOR 'nobody', ${why}`, "nobody", "pts/0", undefined],
      [`FAILED LOGIN (1) on '/dev/pts/0' from '192.0.2.9' FOR 'ada', ${why}`, "ada", "pts/0"],
      [`FAILED LOGIN (2) on '/dev/pts/0' FOR 'UNKNOWN', ${why}`, undefined, "pts/0", undefined],
      [`FAILED LOGIN 1 FROM tty1 FOR root, ${why}`, "root", "tty1", undefined],
      [`FAILED LOGIN SESSION FROM 192.0.2.9 FOR (unknown), ${why}`, undefined, undefined],
      [`TOO MANY LOGIN TRIES (3) FROM 192.0.2.9 FOR ada, ${why}`, "ada", undefined],
    ] as const
  ) {
    const failed = told(message);
    assertEquals([failed.kind, failed.user, failed.terminal], ["auth_failure", user, terminal]);
    assertEquals(failed.from, from ?? (message.includes("192.0.2.9") ? "192.0.2.9" : undefined));
  }
  for (
    const again of [
      "TOO MANY LOGIN TRIES (5) on '/dev/tty1' FOR 'UNKNOWN'",
      "pam_unix(login:auth): authentication failure; logname= uid=0 euid=0 tty=/dev/pts/0 ruser= " +
      "rhost=192.0.2.9  user=nobody",
    ]
  ) assertEquals(readLogin(again), "repeated", again);
});

Deno.test("readLogin() is fooled by no name: a failure stays one, its place login's own", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("' FOR '", " FROM ", ", ", "tty9", "x") }),
      (x) => {
        const name = `a${x}b`;
        const shadow = told(
          `FAILED LOGIN (1) on '/dev/tty1' FOR '${name}', Authentication failure`,
        );
        assertEquals([shadow.kind, shadow.user, shadow.terminal], ["auth_failure", name, "tty1"]);
        const other = told(`FAILED LOGIN 1 FROM tty1 FOR ${name}, Authentication failure`);
        assertEquals([other.kind, other.user, other.terminal], ["auth_failure", name, "tty1"]);
      },
    ),
  );
});

function told(message: string): Told {
  const reading = readLogin(message);
  if (typeof reading !== "object") throw new TypeError(`${reading}: ${message}`);
  return reading;
}

Deno.test("readLine() reads any line of any program in no time, as long as journald takes it", () => {
  const fill = (start: string, unit: string, end: string): string =>
    start + unit.repeat(JOURNAL_VALUE_BYTES_MAX / unit.length) + end;
  for (
    const [program, message] of [
      ["sshd", fill("error: PAM: User not known ", " for ", "x")],
      ["sshd", fill("Failed publickey for ", " from x port 1 ssh2: ", "\n")],
      ["sshd", fill("Failed password for ", " from x port 1 ", "x")],
      ["sshd", fill("Accepted x for ", " from x port 1 ssh2: ", "\n")],
      ["pkexec", fill("a: Executing command [USER=r] [TTY=t] [CWD=", "] [COMMAND=", "x")],
      ["doas", fill("a ran command ", " as x from ", "x")],
      ["sudo", fill("a : ", "x ; ", "")],
      ["sudo", fill("a : TTY=t ; PWD=", " ; USER=a ; COMMAND=", "")],
      ["login", fill("FAILED LOGIN 1 FROM x FOR ", ", ", "")],
      ["login", fill("FAILED LOGIN (1) on 'x' FOR '", "', ", "'")],
      ["x", fill("pam_unix(x:session): session opened for user a by ", "(uid=1)", " ")],
    ] as const
  ) {
    const startedAt = performance.now();
    readLine({ origin: "journal", program, pid: 1, message });
    // Some milliseconds; what grows with the square of its length takes as many seconds.
    assert(performance.now() - startedAt < 2000, `${program}: ${message.slice(0, 60)}`);
  }
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
