import { type AuditLine, parseAuditLine } from "./audit_line.ts";
import { type LogEvent, type Reading, REPEATED } from "./log_event.ts";
import { pidOf } from "./syslog_line.ts";

/** What auditd writes where it has no value. */
const NOTHING: ReadonlySet<string> = new Set(["?", "(none)", "none", "(unknown)", "unset", ""]);
/** `auid` and `ses` of what no login began. */
const UNSET = "4294967295";
/** Records that the kernel's own records of the sensor say already (common/sigma/audit.ts). */
const OF_KERNEL: ReadonlySet<string> = new Set(["EXECVE", "PATH"]);
/** Records that others of the same act have nothing to add to. */
const EMPTY: ReadonlySet<string> = new Set(["EOE", "PROCTITLE", "CWD"]);
/** Fields of a system call that are put to the other records of its act. */
const JOINED = [
  "pid",
  "ppid",
  "auid",
  "uid",
  "euid",
  "ses",
  "comm",
  "exe",
  "key",
  "success",
  "syscall",
  "SYSCALL",
] as const;

/** How an act ended: programs say it in words, the kernel in numbers. */
const OUTCOME: Readonly<Partial<Record<string, "success" | "failure">>> = {
  success: "success",
  "1": "success",
  failed: "failure",
  "0": "failure",
};

/** Reads auditd's records one after the other, and joins those of one act. */
export class AuditReader {
  #call: AuditLine | undefined;

  /**
   * What a line says.
   *
   * @param line A line of auditd's log, without its end.
   * @returns The event; `REPEATED` where other records say it; `undefined` when it is no record.
   */
  read(line: string): LogEvent | typeof REPEATED | undefined {
    const record = parseAuditLine(line);
    if (record === undefined) return undefined;
    if (record.type === "SYSCALL") this.#call = record;
    if (OF_KERNEL.has(record.type) || EMPTY.has(record.type)) return REPEATED;
    const call = this.#call?.serial === record.serial ? this.#call : undefined;
    const fields: Fields = { ...joinedFrom(call), ...record.fields, type: record.type };
    const told = toldBy(record, fields);
    if (told === REPEATED) return REPEATED;
    return {
      origin: "audit",
      // The kernel and programs with a capability for it write there.
      writer: "proven",
      timeMs: record.timeMs,
      program: known(fields["exe"])?.replace(/^.*\//s, "") ?? "audit",
      pid: pidOf(fields["pid"] ?? "0"),
      message: line,
      session: session(fields["ses"]),
      told: told ?? { kind: "log_line" },
      fields,
    };
  }
}

function joinedFrom(call: AuditLine | undefined): Readonly<Record<string, string>> {
  if (call === undefined) return {};
  return Object.fromEntries(JOINED.flatMap((name) => {
    const value = call.fields[name];
    return value === undefined ? [] : [[name, value]];
  }));
}

type Fields = Readonly<Record<string, string>>;

function toldBy({ type }: AuditLine, fields: Fields): Reading {
  const outcome = OUTCOME[fields["res"] ?? ""] ?? "unknown";
  const failed = outcome === "failure";
  const program = (fields["exe"] ?? "").replace(/^.*\//s, "");
  const common = {
    service: program,
    outcome,
    from: known(fields["addr"]) ?? known(fields["hostname"]),
    terminal: known(fields["terminal"])?.replace("/dev/", ""),
  } as const;
  const account = known(fields["acct"]);
  const login = loginName(fields);
  switch (type) {
    case "USER_LOGIN":
      // Whoever was let in or not: a line that does not say which says neither.
      if (outcome === "unknown") return undefined;
      return {
        ...common,
        kind: failed ? "auth_failure" : "login",
        user: account ?? known(fields["ID"]) ?? login,
        unknownUser: failed && known(fields["ID"]) === undefined,
      };
    case "USER_AUTH":
      // sshd says USER_LOGIN too, and what was right says nothing yet.
      if (!failed || program.startsWith("sshd")) return undefined;
      return { ...common, kind: "auth_failure", method: "password", user: account };
    case "USER_CMD":
      return {
        ...common,
        kind: "privilege",
        user: login,
        targetUser: account,
        command: fields["cmd"],
      };
    case "USER_START":
      if (program !== "su") return undefined;
      return { ...common, kind: "privilege", user: login, targetUser: account };
    default:
      return undefined;
  }
}

/** Who logged in at first: by name in the enriched form, else by number. */
function loginName(fields: Fields): string | undefined {
  const name = known(fields["AUID"]);
  if (name !== undefined) return name;
  const id = known(fields["auid"]);
  return id === undefined || id === UNSET ? undefined : id;
}

function session(text: string | undefined): string | undefined {
  const value = known(text);
  return value === UNSET ? undefined : value;
}

function known(value: string | undefined): string | undefined {
  return value === undefined || NOTHING.has(value) ? undefined : value;
}
