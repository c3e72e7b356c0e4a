import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeRecord, type RecordView, text } from "../../common/record/mod.ts";
import { AuditReader } from "./audit.ts";
import type { LogEvent } from "./log_event.ts";
import { readLine } from "./read_line.ts";
import { type LogOrigin, logRecord } from "./to_record.ts";

const ORIGIN: LogOrigin = {
  sequence: 7,
  timeNs: 5n,
  userId: (name) => name === "ada" ? 1000 : undefined,
};

const UTF8 = new TextEncoder();
const DECODER = new TextDecoder();

function event(message: string, program = "sshd"): LogEvent {
  const read = readLine({ origin: "file", program, pid: 812, message });
  if (typeof read !== "object") throw new TypeError(`${read}`);
  return read;
}

function recordOf(message: string, program?: string): RecordView {
  return decodeRecord(logRecord(event(message, program), ORIGIN));
}

function slot(record: RecordView, name: Parameters<RecordView["slot"]>[1]): string {
  return text(record.slot("login", name as "line") ?? new Uint8Array());
}

Deno.test("logRecord() puts down who, from where, and the line", () => {
  const record = recordOf("Accepted password for ada from 2001:db8::7 port 50022 ssh2");
  assertEquals([record.kind, record.pid, record.sequence, record.uid], ["login", 812, 7, 1000]);
  assertEquals([slot(record, "user"), slot(record, "method")], ["ada", "password"]);
  assertEquals(record.number("login", "family"), 10);
  assertEquals(record.number("login", "port"), 50022);
  assertEquals(record.address("login", "address").toHex(), "20010db8000000000000000000000007");
});

Deno.test("logRecord() keeps the name of a source that is no address", () => {
  const record = recordOf("Failed password for ada from client.example port 5 ssh2");
  assertEquals([slot(record, "host"), record.number("login", "family")], ["client.example", 0]);
});

Deno.test("logRecord() hides what was typed for a name and may be a password, in the line too", () => {
  for (const typed of ["correct horse battery", "Summer2026", "p@ss!word", "hunter2;"]) {
    const record = recordOf(`Invalid user ${typed} from 192.0.2.9 port 5`);
    assert(record.has("masked"), typed);
    assertEquals(slot(record, "user"), "********");
    assertEquals(slot(record, "line"), "Invalid user ******** from 192.0.2.9 port 5");
    assert(!new TextDecoder("latin1").decode(record.bytes).includes(typed));
  }
});

Deno.test("logRecord() hides it in whatever line of sshd it stands", () => {
  const lines = [
    (name: string) => `Connection closed by invalid user ${name} 192.0.2.9 port 50022 [preauth]`,
    (name: string) => `Disconnected from invalid user ${name} 192.0.2.9 port 50022 [preauth]`,
    (name: string) => `Disconnecting invalid user ${name} 192.0.2.9 port 5: Too many [preauth]`,
    (name: string) =>
      `Postponed keyboard-interactive for invalid user ${name} from 192.0.2.9 port 5 ssh2`,
    (name: string) => `input_userauth_request: invalid user ${name} [preauth]`,
  ];
  for (const line of lines) {
    for (const typed of ["correct horse battery", "Summer2026", "p@ss port 5", "p@ss from x"]) {
      const record = recordOf(line(typed));
      assertEquals([record.kind, slot(record, "line")], ["log_line", line("********")]);
    }
    assertEquals(slot(recordOf(line("oracle")), "line"), line("oracle"));
  }
});

Deno.test("logRecord() hides it in the digits that auditd writes too, and leaves others alone", () => {
  const coded = (value: string): string => UTF8.encode(value).toHex().toUpperCase();
  const line = (acct: string): string =>
    "type=USER_LOGIN msg=audit(1.250:9): pid=12345678 uid=0 ses=4294967295 msg='op=login " +
    `acct=${acct} exe="/usr/sbin/sshd" addr=192.0.2.9 res=failed'`;
  const audit = (text: string, origin: Partial<LogOrigin> = {}): RecordView => {
    const read = new AuditReader().read(text);
    if (typeof read !== "object") throw new TypeError(`${read}`);
    return decodeRecord(logRecord(read, { ...ORIGIN, ...origin }));
  };
  const typed = "correct horse battery";
  const record = audit(line(coded(typed)));
  assertEquals([slot(record, "user"), slot(record, "line")], [
    "********",
    line(coded("********")),
  ]);
  assert(record.has("masked"));
  assertEquals(slot(audit(line('"oracle"')), "line"), line('"oracle"'));
  const command = (value: string): string =>
    `type=USER_CMD msg=audit(1.250:9): pid=1 msg='cmd=${coded(value)} res=success'`;
  const hide = (text: Uint8Array): number => {
    const at = DECODER.decode(text).indexOf("hunter2");
    if (at >= 0) text.fill(42, at, at + 7);
    return at >= 0 ? 7 : 0;
  };
  const masked = audit(command("x --password hunter2"), { mask: hide });
  assertEquals([slot(masked, "command"), slot(masked, "line")], [
    "x --password *******",
    command("x --password *******"),
  ]);
});

Deno.test("logRecord() keeps what is typed for a name where rules alone read it", () => {
  const read = event("Invalid user Summer2026 from 192.0.2.9 port 5");
  const record = decodeRecord(logRecord(read, { ...ORIGIN, hides: false }));
  assertEquals([slot(record, "user"), record.uid, record.has("masked")], [
    "Summer2026",
    0xFFFF_FFFF,
    false,
  ]);
});

Deno.test("logRecord() shows names as hosts have them", () => {
  for (const name of ["oracle", "svc-backup", "CORP\\ada", "ada@corp.example", "x$", "Ada"]) {
    const record = recordOf(`Invalid user ${name} from 192.0.2.9 port 5`);
    assertEquals([record.has("masked"), slot(record, "user")], [false, name]);
  }
});

Deno.test("logRecord() cuts what is long, says so, and always fits", () => {
  const long = "x".repeat(16_000);
  const record = recordOf(`a : TTY=${long} ; PWD=/ ; USER=root ; COMMAND=${long}`, "sudo");
  assert(record.has("truncated"));
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 16_000, size: "max" }),
      (value) => {
        const told = {
          kind: "privilege",
          service: value,
          user: value,
          targetUser: value,
          method: value,
          from: value,
          terminal: value,
          command: value,
          session: value,
          port: 70_000,
        } as const;
        const base = {
          origin: "file",
          program: value,
          pid: 1,
          message: value,
          fields: {},
        } as const;
        decodeRecord(logRecord({ ...base, told }, ORIGIN));
      },
    ),
    { numRuns: 50 },
  );
});
