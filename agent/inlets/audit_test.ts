import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { AuditReader } from "./audit.ts";
import { parseAuditLine } from "./audit_line.ts";
import type { LogEvent } from "./log_event.ts";

const HEAD = "msg=audit(1700000000.250:91):";
const LOGIN = `type=USER_LOGIN ${HEAD} pid=812 uid=0 auid=1000 ses=3 msg='op=login id=1000 ` +
  `exe="/usr/sbin/sshd" hostname=192.0.2.9 addr=192.0.2.9 terminal=/dev/pts/0 res=success'` +
  `\x1dUID="root" AUID="ada" ID="ada"`;

function event(line: string, reader = new AuditReader()): LogEvent {
  const read = reader.read(line);
  if (typeof read !== "object") throw new TypeError(`${read}`);
  return read;
}

Deno.test("AuditReader reads a login: who, from where, its session", () => {
  const { told, pid, program, session, timeMs, writer } = event(LOGIN);
  assertEquals([told.kind, told.user, told.from, told.terminal], [
    "login",
    "ada",
    "192.0.2.9",
    "pts/0",
  ]);
  assertEquals([pid, program, session, timeMs, writer], [
    812,
    "sshd",
    "3",
    1_700_000_000_250,
    "proven",
  ]);
});

Deno.test("AuditReader reads a failed login of somebody unknown", () => {
  const line = `type=USER_LOGIN ${HEAD} pid=1 uid=0 auid=4294967295 ses=4294967295 msg='op=login ` +
    `acct=28756E6B6E6F776E207573657229 exe="/usr/sbin/sshd" hostname=? addr=192.0.2.9 ` +
    `terminal=sshd res=failed'`;
  const { told, session } = event(line);
  assertEquals([told.kind, told.outcome, told.user], ["auth_failure", "failure", "(unknown user)"]);
  assertEquals(session, undefined);
});

Deno.test("AuditReader reads commands of sudo, in hexadecimal digits too", () => {
  const line = `type=USER_CMD ${HEAD} pid=5 uid=1000 auid=1000 ses=1 msg='cwd="/home/ada" ` +
    `cmd=6964202D75 exe="/usr/bin/sudo" terminal=pts/0 res=success'\x1dUID="ada" AUID="ada"`;
  const { told } = event(line);
  assertEquals([told.kind, told.user, told.command], ["privilege", "ada", "id -u"]);
});

Deno.test("AuditReader leaves to the kernel's records what they say, and joins the rest", () => {
  const reader = new AuditReader();
  const call = event(
    `type=SYSCALL ${HEAD} arch=c000003e syscall=175 success=yes a0=7f comm="insmod" ` +
      `exe="/usr/bin/kmod" key="modules"`,
    reader,
  );
  assertEquals([call.told.kind, call.fields["a0"]], ["log_line", "7f"]);
  for (const type of ["EXECVE", "PATH", "EOE", "CWD"]) {
    assertEquals(reader.read(`type=${type} ${HEAD} argc=1 a0="x"`), "repeated", type);
  }
  const joined = event(`type=KERN_MODULE ${HEAD} name="evil"`, reader);
  assertEquals([joined.fields["name"], joined.fields["exe"], joined.fields["key"]], [
    "evil",
    "/usr/bin/kmod",
    "modules",
  ]);
  const other = event(`type=KERN_MODULE msg=audit(1700000000.251:92): name="x"`, reader);
  assertEquals(other.fields["exe"], undefined);
  assertEquals(reader.read("no record"), undefined);
});

Deno.test("parseAuditLine() takes nothing inside a value for another field", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (name) => {
      const hex = new TextEncoder().encode(name).toHex().toUpperCase();
      const line = `type=USER_LOGIN ${HEAD} pid=1 msg='op=login acct=${hex} res=failed'`;
      const fields = parseAuditLine(line)?.fields;
      // What is no text becomes U+FFFD.
      assertEquals(
        fields?.["acct"],
        new TextDecoder("utf-8", { ignoreBOM: false }).decode(
          new TextEncoder().encode(name),
        ),
      );
      assertEquals(fields?.["res"], "failed");
    }),
  );
  const quoted = parseAuditLine(
    `type=USER_CMD ${HEAD} pid=1 msg='acct="a res=success" res=failed'`,
  );
  assertEquals([quoted?.fields["acct"], quoted?.fields["res"]], ["a res=success", "failed"]);
});

Deno.test("parseAuditLine() takes no quote in a value for the end of what a program says", () => {
  const names = fc.string({
    unit: fc.constantFrom("'", ",", "(", ")", "=", "res=success", "addr=6.6.6.6", "x"),
    minLength: 1,
  });
  fc.assert(
    fc.property(names, (name) => {
      // As libaudit writes a name without double quotes and spaces.
      const line = `type=USER_LOGIN ${HEAD} pid=1 uid=0 msg='op=login acct="${name}" ` +
        `exe="/usr/sbin/sshd" hostname=? addr=192.0.2.9 terminal=ssh res=failed'\x1dUID="root"`;
      const { acct, res, addr, UID } = parseAuditLine(line)?.fields ?? {};
      assertEquals([acct, res, addr, UID], [name, "failed", "192.0.2.9", "root"]);
      assertEquals(event(line).told.kind, "auth_failure");
    }),
  );
});

Deno.test("parseAuditLine() takes what libaudit ends with from the end", () => {
  const said = "op=x addr=6.6.6.6 res=success exe=/x hostname=? addr=192.0.2.9 res=failed";
  const { addr, res } = parseAuditLine(`type=USER_LOGIN ${HEAD} msg='${said}'`)?.fields ?? {};
  assertEquals([addr, res], ["192.0.2.9", "failed"]);
});

Deno.test("AuditReader takes no line for a login that does not say how it ended", () => {
  const said = 'op=login acct="ada" exe="/usr/sbin/sshd" addr=192.0.2.9';
  for (const end of ["", " res=", " res=failed,", " res=odd"]) {
    assertEquals(event(`type=USER_LOGIN ${HEAD} pid=1 msg='${said}${end}'`).told.kind, "log_line");
  }
  const command = event(`type=USER_CMD ${HEAD} pid=1 auid=1000 msg='cmd="id" exe="/usr/bin/sudo"'`);
  assertEquals([command.told.kind, command.told.outcome], ["privilege", "unknown"]);
});

Deno.test("parseAuditLine() takes any line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      parseAuditLine(text);
      parseAuditLine(`type=SYSCALL ${HEAD} ${text}`);
    }),
    { numRuns: 500 },
  );
});
