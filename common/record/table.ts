// The one definition of a record. `layout.ts` gives every field its place, `generate.ts` writes the
// same places down for C and AssemblyScript, and golden vectors prove that all three agree.

/** A number's place in memory. `bytes16` is a network address in network byte order. */
export type FieldType = "u16" | "u32" | "u64" | "bytes16";

/** A fixed-size member of a header or a body. */
export interface FieldSpec {
  /** Lower-case name, the same in TypeScript, C and AssemblyScript. */
  readonly name: string;
  readonly type: FieldType;
  /** What it holds, with its unit. */
  readonly doc: string;
}

/** A variable-length byte string of a record; strings are bytes, not UTF-8. */
export interface SlotSpec {
  readonly name: string;
  readonly doc: string;
}

/**
 * Which ring carries a kind: the two of the kernel, or none because user space makes it, or none
 * because it never leaves one scan (`flat`).
 */
export type Stream = "lifecycle" | "bulk" | "user";

/** A kind of record. Fields and slots are only ever appended. */
export interface KindSpec {
  /** 1 to 127 from a kernel, 128 and up from user space. */
  readonly id: number;
  readonly stream: Stream;
  readonly doc: string;
  readonly body: readonly FieldSpec[];
  readonly slots: readonly SlotSpec[];
}

/** Version of the layout; a change that is not an append raises it. */
export const RECORD_VERSION = 1;
/** Every record starts at a multiple of this many bytes and is as long as a multiple of it. */
export const RECORD_ALIGNMENT = 8;
/** Longest record, in bytes, slots and padding included. */
export const RECORD_BYTES_MAX = 24 * 1024;
/** Bytes of one slot: u16 offset, u16 length, u32 original length. */
export const SLOT_BYTES = 8;
/** Most components of a path that the kernel side walks before it cuts and flags the path. */
export const PATH_COMPONENTS_MAX = 256;
/** Longest path kept, in bytes. */
export const PATH_BYTES_MAX = 4096;
/** Longest argument vector kept, in bytes, NULs included. */
export const ARGV_BYTES_MAX = 8192;
/** Longest DNS message kept, in bytes. */
export const DNS_MESSAGE_BYTES_MAX = 1024;

/** Fixed header of every record, in order. */
export const HEADER = [
  { name: "length", type: "u32", doc: "whole record in bytes, a multiple of 8" },
  { name: "header_length", type: "u16", doc: "bytes of this header; the body starts there" },
  { name: "body_length", type: "u16", doc: "bytes of the kind's fixed fields; the slots follow" },
  { name: "kind", type: "u16", doc: "which kind of record" },
  { name: "source", type: "u16", doc: "CPU, 0x4000 + CPU for bulk, 0xF000 and up in user space" },
  { name: "slot_count", type: "u16", doc: "number of slots" },
  { name: "version", type: "u16", doc: "version of the layout" },
  { name: "flags", type: "u32", doc: "bits of FLAGS" },
  { name: "pid", type: "u32", doc: "process id (thread group), initial pid namespace" },
  { name: "time_ns", type: "u64", doc: "nanoseconds since boot, suspend included" },
  { name: "sequence", type: "u64", doc: "number of the record in its source, from 1" },
  { name: "tid", type: "u32", doc: "thread id" },
  { name: "parent_pid", type: "u32", doc: "process id of the real parent" },
  { name: "start_time_ns", type: "u64", doc: "start_boottime of the leader; 0 = not known" },
  { name: "parent_start_time_ns", type: "u64", doc: "the same of the parent" },
  { name: "uid", type: "u32", doc: "effective user id, initial user namespace" },
  { name: "gid", type: "u32", doc: "effective group id" },
  { name: "cgroup_id", type: "u64", doc: "cgroup v2 id; 0 = not known" },
  { name: "session", type: "u64", doc: "hash of the session root's process key; 0 = none" },
  { name: "role", type: "u16", doc: "role id; 0 = none, 1 to 63 fixed" },
  { name: "reserved", type: "u16", doc: "0" },
  { name: "reserved2", type: "u32", doc: "0" },
] as const satisfies readonly FieldSpec[];

const SOCKET_BODY = [
  { name: "family", type: "u16", doc: "2 = IPv4, 10 = IPv6 (Linux numbers)" },
  { name: "port", type: "u16", doc: "host byte order" },
  { name: "protocol", type: "u16", doc: "IANA protocol number: 6 TCP, 17 UDP, 262 MPTCP" },
  { name: "socket_type", type: "u16", doc: "1 = stream, 2 = datagram" },
  { name: "address", type: "bytes16", doc: "network order; IPv4 in the first 4 bytes" },
] as const satisfies readonly FieldSpec[];

const TARGET_BODY = [
  { name: "target_pid", type: "u32", doc: "process id of the other process" },
  { name: "target_start_time_ns", type: "u64", doc: "start_boottime of its leader" },
  { name: "target_session", type: "u64", doc: "its session; 0 = none" },
  { name: "target_role", type: "u16", doc: "its role; 0 = none" },
  { name: "reserved", type: "u16", doc: "0" },
  { name: "reserved2", type: "u32", doc: "0" },
] as const satisfies readonly FieldSpec[];

const PROCESS_SLOTS = [
  { name: "image", doc: "absolute path of the file that runs" },
  { name: "argv", doc: "arguments, each with its NUL" },
  { name: "cwd", doc: "absolute path of the working directory" },
] as const satisfies readonly SlotSpec[];

const PROCESS_BODY = [
  { name: "real_uid", type: "u32", doc: "real user id" },
  { name: "real_gid", type: "u32", doc: "real group id" },
  { name: "parent_uid", type: "u32", doc: "effective user id of the parent at that time" },
  {
    name: "device",
    type: "u32",
    doc: "device of the image, kernel encoding (major << 20 | minor)",
  },
  { name: "inode", type: "u64", doc: "inode of the image" },
] as const satisfies readonly FieldSpec[];

const LOG_BODY = [
  { name: "family", type: "u16", doc: "of the source: 2 = IPv4, 10 = IPv6, 0 = not known" },
  { name: "port", type: "u16", doc: "its port; 0 = not known" },
  { name: "outcome", type: "u16", doc: "number of OUTCOMES" },
  { name: "origin", type: "u16", doc: "number of LOG_ORIGINS" },
  { name: "address", type: "bytes16", doc: "where it came from, as in a connect" },
  { name: "writer", type: "u16", doc: "number of LOG_WRITERS" },
  { name: "reserved", type: "u16", doc: "0" },
  { name: "reserved2", type: "u32", doc: "0" },
] as const satisfies readonly FieldSpec[];

const LOG_SLOTS = [
  { name: "program", doc: "program that the line names" },
  { name: "service", doc: "what was asked for a login: sshd, sudo, su, login, ..." },
  { name: "user", doc: "who" },
  { name: "target_user", doc: "who it wants to be" },
  { name: "method", doc: "how it proved itself: password, publickey, ..." },
  { name: "terminal", doc: "terminal" },
  { name: "host", doc: "name of the source, where it is no address" },
  { name: "command", doc: "command that was run, or asked for" },
  { name: "login_session", doc: "number of the login session (audit's ses, logind's)" },
  { name: "line", doc: "the line, without time, host and program" },
] as const satisfies readonly SlotSpec[];

/** All kinds. Ids 136 (prompt), 137 (configuration change) are reserved. */
export const KINDS = {
  exec: {
    id: 1,
    stream: "lifecycle",
    doc: "a process runs a new program; taken after the kernel switched to it",
    body: [
      ...PROCESS_BODY,
      { name: "stdio_sockets", type: "u16", doc: "bit n: descriptor n (0 to 2) is an IP socket" },
      { name: "stdio_family", type: "u16", doc: "family of the first of them; 0 = none" },
      { name: "stdio_port", type: "u16", doc: "its peer's port" },
      { name: "reserved", type: "u16", doc: "0" },
      { name: "stdio_address", type: "bytes16", doc: "its peer's address, as in a connect" },
      { name: "mount_namespace", type: "u32", doc: "number of the mount namespace" },
      { name: "pid_namespace", type: "u32", doc: "the same of its pid namespace" },
      { name: "network_namespace", type: "u32", doc: "the same of its network namespace" },
      { name: "user_namespace", type: "u32", doc: "the same of its user namespace" },
    ],
    slots: [
      ...PROCESS_SLOTS,
      { name: "file_name", doc: "the path as it was asked for; a script's own path" },
    ],
  },
  fork: {
    id: 2,
    stream: "lifecycle",
    doc: "a process (no thread) was made; the header is the child's",
    body: [],
    slots: [],
  },
  exit: {
    id: 3,
    stream: "lifecycle",
    doc: "the last thread of a process ended",
    body: [
      { name: "exit_code", type: "u32", doc: "status given to exit, 0 to 255" },
      { name: "signal", type: "u32", doc: "signal that ended it; 0 = none" },
    ],
    slots: [],
  },
  identity: {
    id: 4,
    stream: "lifecycle",
    doc: "a set*uid or set*gid call changed credentials; the header has the new ones",
    body: [
      { name: "real_uid", type: "u32", doc: "real user id, new" },
      { name: "real_gid", type: "u32", doc: "real group id, new" },
      { name: "saved_uid", type: "u32", doc: "saved user id, new" },
      { name: "saved_gid", type: "u32", doc: "saved group id, new" },
      { name: "old_uid", type: "u32", doc: "effective user id before" },
      { name: "old_gid", type: "u32", doc: "effective group id before" },
      { name: "system_call", type: "u32", doc: "number of the system call, native table" },
      { name: "reserved", type: "u32", doc: "0" },
    ],
    slots: [],
  },
  signal: {
    id: 5,
    stream: "lifecycle",
    doc:
      "a process signalled one that is guarded: with a role and of another session, or the sensor",
    body: [{ name: "signal", type: "u32", doc: "number of the signal" }, ...TARGET_BODY],
    slots: [],
  },
  access: {
    id: 6,
    stream: "lifecycle",
    doc: "a process reached into the memory of one that is guarded",
    body: [{ name: "access", type: "u32", doc: "number of ACCESSES" }, ...TARGET_BODY],
    slots: [],
  },
  act: {
    id: 7,
    stream: "lifecycle",
    doc: "a process used a privilege, or made memory executable that was written",
    body: [
      { name: "act", type: "u32", doc: "number of ACTS" },
      {
        name: "system_call",
        type: "u32",
        doc:
          "number of the system call, as it was called; 0 = of a clone, which is seen at the fork",
      },
      {
        name: "argument",
        type: "u64",
        doc:
          "flags of unshare (or clone), setns, mount and unmount; command of bpf; type of a perf " +
          "event; protection of memory; of a module the error by which the kernel refused it, 0 = " +
          "loaded",
      },
      {
        name: "object",
        type: "u64",
        doc: "number of the namespace entered; process of a perf event; address of memory; child " +
          "of a clone; device that fsconfig or fsmount was about, kernel encoding",
      },
      { name: "mount_namespace", type: "u32", doc: "of the process, or the child, after the act" },
      { name: "pid_namespace", type: "u32", doc: "the same of its children's pid namespace" },
      { name: "network_namespace", type: "u32", doc: "the same of its network namespace" },
      { name: "user_namespace", type: "u32", doc: "the same of its user namespace" },
    ],
    slots: [
      { name: "path", doc: "file of a module or of memory; of a mount as the caller wrote it" },
      { name: "source", doc: "what is mounted, as the caller wrote it" },
    ],
  },
  verdict: {
    id: 12,
    stream: "lifecycle",
    doc:
      "the enforcement policy refused what a process asked for, or would have; specs/enforcement.md",
    body: [
      ...SOCKET_BODY,
      { name: "entry", type: "u16", doc: "number of the policy's entry, from 1" },
      { name: "action", type: "u16", doc: "number of VERDICT_ACTIONS" },
      { name: "tier", type: "u16", doc: "number of VERDICT_TIERS" },
      { name: "outcome", type: "u16", doc: "number of VERDICT_OUTCOMES" },
      { name: "device", type: "u32", doc: "device of the file, kernel encoding; 0 = no file" },
      {
        name: "mode",
        type: "u32",
        doc: "of an open: bit 0 reading, 1 writing, 2 a link or move; 0 = not known",
      },
      { name: "inode", type: "u64", doc: "inode of the file" },
      { name: "policy", type: "u64", doc: "first 8 bytes of the policy's SHA-256" },
    ],
    slots: [{ name: "path", doc: "absolute path of the file; empty where there is none" }],
  },
  connect: {
    id: 16,
    stream: "bulk",
    doc: "a process asked for a connection; the address is the kernel's copy",
    body: SOCKET_BODY,
    slots: [],
  },
  bind: {
    id: 17,
    stream: "bulk",
    doc: "a process bound a socket to a local address",
    body: SOCKET_BODY,
    slots: [],
  },
  open: {
    id: 18,
    stream: "bulk",
    doc: "a file was opened; the path comes from the file, not from the caller",
    body: [
      { name: "open_flags", type: "u32", doc: "flags of open(2); 0xFFFFFFFF = not known" },
      { name: "device", type: "u32", doc: "device of the file, kernel encoding" },
      { name: "inode", type: "u64", doc: "inode of the file" },
    ],
    slots: [
      { name: "path", doc: "absolute path, else flagged unresolved" },
      {
        name: "opened_as",
        doc: "the path that it was opened by, where `path` is the watched one of the same file",
      },
    ],
  },
  listen: {
    id: 19,
    stream: "bulk",
    doc: "a TCP socket began to listen; the address is its own",
    body: SOCKET_BODY,
    slots: [],
  },
  accept: {
    id: 20,
    stream: "bulk",
    doc: "a TCP connection came to a socket that listens; the process is the one that listens",
    body: [
      ...SOCKET_BODY,
      { name: "peer_address", type: "bytes16", doc: "who came, as in a connect" },
      { name: "peer_port", type: "u16", doc: "its port" },
      { name: "reserved", type: "u16", doc: "0" },
      { name: "reserved2", type: "u32", doc: "0" },
    ],
    slots: [],
  },
  flow: {
    id: 21,
    stream: "bulk",
    doc: "a TCP connection ended; address and port are the peer's",
    body: [
      ...SOCKET_BODY,
      { name: "local_address", type: "bytes16", doc: "own address" },
      { name: "local_port", type: "u16", doc: "own port" },
      { name: "initiated", type: "u16", doc: "1 = it connected; 0 = the peer did, or unknown" },
      { name: "reserved", type: "u32", doc: "0" },
      { name: "bytes_sent", type: "u64", doc: "bytes of the stream, without those sent again" },
      { name: "bytes_received", type: "u64", doc: "the same of what came" },
      { name: "duration_ns", type: "u64", doc: "from the connect or accept on" },
    ],
    slots: [],
  },
  dns: {
    id: 22,
    stream: "bulk",
    doc: "a question to a DNS server (address, port) left, or its answer came; the asker's",
    body: [
      ...SOCKET_BODY,
      { name: "query_type", type: "u16", doc: "type of the question (RFC 1035, 3.2.2)" },
      { name: "response_code", type: "u16", doc: "RCODE of an answer" },
      { name: "is_answer", type: "u16", doc: "0 = question; 1 = answer" },
      { name: "transaction", type: "u16", doc: "id of the message" },
    ],
    slots: [
      { name: "name", doc: "what is asked for, dots between labels, ASCII in lower case" },
      { name: "message", doc: "the message as it went over the wire" },
    ],
  },
  change: {
    id: 23,
    stream: "bulk",
    doc: "a watched file, or a name in a watched directory, was changed",
    body: [
      { name: "change", type: "u32", doc: "number of CHANGES" },
      { name: "device", type: "u32", doc: "device of the file, kernel encoding; 0 = not known" },
      {
        name: "inode",
        type: "u64",
        doc: "inode of the file, looked at afterwards; 0 = it is gone",
      },
      { name: "mode", type: "u32", doc: "type and mode bits, looked at afterwards" },
      { name: "links", type: "u32", doc: "names that it has, looked at afterwards" },
      { name: "owner_uid", type: "u32", doc: "user that it belongs to, looked at afterwards" },
      { name: "owner_gid", type: "u32", doc: "group that it belongs to, looked at afterwards" },
    ],
    slots: [
      { name: "path", doc: "absolute path, of a rename the new one; else flagged unresolved" },
      { name: "old_path", doc: "of a rename the path before; absent = in no watched directory" },
    ],
  },
  process: {
    id: 128,
    stream: "user",
    doc: "context: a process that already ran; time_ns is when it was looked at",
    body: PROCESS_BODY,
    slots: PROCESS_SLOTS,
  },
  user: {
    id: 129,
    stream: "user",
    doc: "context: header uid has this name",
    body: [],
    slots: [{ name: "name", doc: "user name" }],
  },
  cgroup: {
    id: 130,
    stream: "user",
    doc: "context: header cgroup_id has this path",
    body: [],
    slots: [
      { name: "path", doc: "path below the cgroup v2 root" },
      { name: "container", doc: "container id; empty = none" },
    ],
  },
  role: {
    id: 131,
    stream: "user",
    doc: "context: header role has this name",
    body: [],
    slots: [{ name: "name", doc: "role name" }],
  },
  rule_set: {
    id: 132,
    stream: "user",
    doc: "context: from here on this rule set judged the records",
    body: [],
    slots: [{ name: "hash", doc: "SHA-256 of the rule image, lower-case hex" }],
  },
  alert: {
    id: 133,
    stream: "user",
    doc: "a rule fired; pid and start time are those of its process",
    body: [
      { name: "record_sequence", type: "u64", doc: "sequence of the record that fired it" },
      { name: "record_source", type: "u16", doc: "source of that record" },
      { name: "severity", type: "u16", doc: "1 informational to 5 critical" },
      { name: "reserved", type: "u32", doc: "0" },
    ],
    slots: [{ name: "document", doc: "the alert as JSON (UTF-8)" }],
  },
  loss: {
    id: 134,
    stream: "user",
    doc: "records that were made, or would have been, and are not here",
    body: [
      { name: "cause", type: "u16", doc: "number of a loss cause (common/wire)" },
      { name: "lost_kind", type: "u16", doc: "kind that was lost; 0 = not known" },
      { name: "lost_source", type: "u16", doc: "source it was lost from" },
      { name: "certain", type: "u16", doc: "1 = the count is exact; 0 = at least" },
      { name: "count", type: "u64", doc: "records" },
      { name: "first", type: "u64", doc: "first missing sequence; 0 = not known" },
    ],
    slots: [],
  },
  action_result: {
    id: 135,
    stream: "user",
    doc: "what was found after an action; pid and start time are those of its process",
    body: [
      { name: "record_sequence", type: "u64", doc: "sequence of the verdict that it is about" },
      { name: "record_source", type: "u16", doc: "source of that record" },
      { name: "entry", type: "u16", doc: "as in the verdict" },
      { name: "action", type: "u16", doc: "as in the verdict" },
      { name: "tier", type: "u16", doc: "as in the verdict" },
      { name: "outcome", type: "u16", doc: "as in the verdict" },
      { name: "verified", type: "u16", doc: "1 = what was to be true afterwards was found" },
      { name: "reserved", type: "u32", doc: "0" },
    ],
    slots: [{ name: "finding", doc: "one line (UTF-8): what was found" }],
  },
  health: {
    id: 138,
    stream: "user",
    doc: "how an agent does: what it has in force, and what it did since it last said so",
    body: [
      { name: "rules", type: "u32", doc: "rules in force" },
      { name: "reserved", type: "u32", doc: "0" },
      { name: "records", type: "u64", doc: "records scanned since the last one" },
      { name: "alerts", type: "u64", doc: "alerts raised since the last one" },
      { name: "masked", type: "u64", doc: "records with values masked since the last one" },
      { name: "scan_time_ns", type: "u64", doc: "nanoseconds in scans since the last one" },
    ],
    slots: [
      { name: "rule_set", doc: "SHA-256 of the rule image in force, lower-case hex" },
      { name: "scans", doc: "u64 a class of duration (common/wire): scans since the last one" },
      { name: "tallies", doc: "what the sensor counted of each kind since (common/wire/tally.ts)" },
      { name: "missed", doc: "programs that did not run since, a line each: name, space, times" },
      {
        name: "tiers",
        doc: "tiers of enforcement in force, a line each (common/wire/tier_tally.ts)",
      },
      {
        name: "places",
        doc: "tallies of CPUs that lost any, and of tables (common/wire/tally.ts)",
      },
      { name: "detached", doc: "programs that were not attached, a line each: name, space, times" },
    ],
  },
  image_hash: {
    id: 139,
    stream: "user",
    doc:
      "SHA-256 of the program that a process runs, or of a watched file; the header is that of " +
      "the record it was made for",
    body: [
      {
        name: "device",
        type: "u32",
        doc: "device of the file, as stat(2) has it, kernel encoding",
      },
      {
        name: "is_program",
        type: "u32",
        doc: "1 = the process runs it; 0 = it opened or changed it",
      },
      { name: "inode", type: "u64", doc: "inode of the file" },
      { name: "change_time_ns", type: "u64", doc: "its last change: Unix time in nanoseconds" },
      { name: "size", type: "u64", doc: "bytes of the file" },
    ],
    slots: [
      { name: "path", doc: "absolute path, as the record had it" },
      { name: "sha256", doc: "the hash, 32 bytes" },
    ],
  },
  folded: {
    id: 140,
    stream: "user",
    doc: "records of one process (header) or, with pid 0, cgroup that were over its limit",
    body: [
      { name: "count", type: "u64", doc: "records that were not made" },
      { name: "first_ns", type: "u64", doc: "time of the first of them" },
      { name: "last_ns", type: "u64", doc: "time of the last of them" },
      { name: "folded_kind", type: "u16", doc: "their kind" },
      { name: "reserved", type: "u16", doc: "0" },
      { name: "reserved2", type: "u32", doc: "0" },
    ],
    slots: [],
  },
  login: {
    id: 141,
    stream: "user",
    doc: "a log says that somebody logged in; pid is of the program that let them in",
    body: LOG_BODY,
    slots: LOG_SLOTS,
  },
  auth_failure: {
    id: 142,
    stream: "user",
    doc: "a log says that somebody was not who they said, or said nothing that holds",
    body: LOG_BODY,
    slots: LOG_SLOTS,
  },
  privilege: {
    id: 143,
    stream: "user",
    doc: "a log says that somebody acted, or wanted to act, as another user",
    body: LOG_BODY,
    slots: LOG_SLOTS,
  },
  tamper: {
    id: 144,
    stream: "user",
    doc: "something about the agent itself is not as it left it; specs/self_protection.md",
    body: [
      { name: "what", type: "u16", doc: "number of TAMPERS" },
      { name: "restored", type: "u16", doc: "1 = the agent put it right again" },
      { name: "other_pid", type: "u32", doc: "process that did it; 0 = not known" },
    ],
    slots: [
      { name: "object", doc: "what it happened to: a path, a program of the kernel, a map" },
      { name: "detail", doc: "what was expected and what was found, for people" },
    ],
  },
  log_line: {
    id: 145,
    stream: "user",
    doc: "a line of a log that is none of login, auth_failure, privilege, and that a rule is about",
    body: LOG_BODY,
    slots: LOG_SLOTS,
  },
  flat: {
    id: 192,
    stream: "user",
    doc: "an event with named fields: slot i is field i of the rule set, the last one a bit map " +
      "of log sources; lives in one scan only",
    body: [],
    slots: [],
  },
} as const satisfies Record<string, KindSpec>;

/** Name of a kind. */
export type KindName = keyof typeof KINDS;

/** Names of all kinds, in the order of their ids. */
export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

const NAME_BY_ID: ReadonlyMap<number, KindName> = new Map(
  KIND_NAMES.map((name) => [KINDS[name].id, name]),
);

/**
 * The name of a kind.
 *
 * @param id Number in a record's header.
 * @returns The name, or `undefined` for a kind that this version does not know.
 */
export function kindName(id: number): KindName | undefined {
  return NAME_BY_ID.get(id);
}
