// The field names that records feed, with their ECS paths. Numbers are those of the rule image and
// of wasm/assembly; they are only ever appended.

/** A field that a record can fill. */
export interface StandardField {
  /** Id in the rule image, from 1. */
  readonly id: number;
  /** Path in an ECS document. */
  readonly ecs: string;
  /** What fills it. */
  readonly doc: string;
}

/**
 * Sigma's Linux names and ours. Numbers are matched as decimal text, addresses as RFC 5952 text,
 * truth values as `true` and `false`.
 */
export const STANDARD_FIELDS = {
  Image: { id: 1, ecs: "process.executable", doc: "path of the file that runs" },
  CommandLine: { id: 2, ecs: "process.command_line", doc: "arguments, joined by spaces" },
  CurrentDirectory: { id: 3, ecs: "process.working_directory", doc: "working directory" },
  User: { id: 4, ecs: "user.name", doc: "name of the effective user; its id where it has none" },
  ProcessId: { id: 5, ecs: "process.pid", doc: "process id" },
  ParentImage: { id: 6, ecs: "process.parent.executable", doc: "path of the parent's file" },
  ParentCommandLine: {
    id: 7,
    ecs: "process.parent.command_line",
    doc: "arguments of the parent",
  },
  ParentProcessId: { id: 8, ecs: "process.parent.pid", doc: "process id of the parent" },
  ParentUser: { id: 9, ecs: "process.parent.user.name", doc: "name of the parent's user" },
  TargetFilename: { id: 10, ecs: "file.path", doc: "path of the file that was opened or changed" },
  DestinationIp: { id: 11, ecs: "destination.ip", doc: "address of a connect, the peer of a flow" },
  DestinationPort: { id: 12, ecs: "destination.port", doc: "port of a connect or flow" },
  SourceIp: {
    id: 13,
    ecs: "source.ip",
    doc: "local address of a bind or listen; who came, of an accept",
  },
  SourcePort: { id: 14, ecs: "source.port", doc: "port of that address" },
  Protocol: { id: 15, ecs: "network.transport", doc: "tcp, udp, or the protocol's number" },
  Initiated: {
    id: 16,
    ecs: "network.initiated",
    doc: "true for a connect, false for a bind or accept",
  },
  DestinationIsIpv6: { id: 17, ecs: "network.ipv6", doc: "true for an IPv6 destination" },
  UserId: { id: 18, ecs: "user.id", doc: "effective user id" },
  ParentUserId: { id: 19, ecs: "process.parent.user.id", doc: "the parent's effective user id" },
  RealUserId: { id: 20, ecs: "process.real_user.id", doc: "real user id" },
  ExecFile: { id: 21, ecs: "process.exec_file", doc: "path as asked for; a script's own path" },
  ExitCode: { id: 22, ecs: "process.exit_code", doc: "status given to exit" },
  ExitSignal: { id: 23, ecs: "process.exit_signal", doc: "signal that ended it; 0 = none" },
  OldUserId: { id: 24, ecs: "user.changes.from.id", doc: "effective user id before a change" },
  Role: { id: 25, ecs: "process.role", doc: "name of the role; none without one" },
  Session: { id: 26, ecs: "process.session.id", doc: "session, 16 hexadecimal digits" },
  AncestorImage: {
    id: 27,
    ecs: "process.ancestors.executable",
    doc: "path of the file of any ancestor, 16 at most",
  },
  StdioSocket: {
    id: 28,
    ecs: "process.stdio_socket",
    doc: "standard streams of an exec that are IP sockets: stdin, stdout, stderr",
  },
  Hidden: { id: 29, ecs: "process.hidden", doc: "true where /proc does not show the process" },
  BytesSent: { id: 30, ecs: "source.bytes", doc: "bytes that a connection's process sent" },
  BytesReceived: { id: 31, ecs: "destination.bytes", doc: "bytes that it received" },
  QueryName: { id: 32, ecs: "dns.question.name", doc: "name that a DNS server is asked for" },
  QueryType: { id: 33, ecs: "dns.question.type", doc: "A, AAAA, TXT, ..., else the number" },
  QueryStatus: { id: 34, ecs: "dns.response_code", doc: "RCODE of a DNS answer, a number" },
  QueryResults: {
    id: 35,
    ecs: "dns.resolved_ip",
    doc: "addresses in a DNS answer, each with a semicolon behind it, 16 at most",
  },
  DestinationHostname: {
    id: 36,
    ecs: "destination.domain",
    doc: "name for which this host was last given the destination's address",
  },
  TargetImage: {
    id: 37,
    ecs: "target.process.executable",
    doc: "path of the other process's file",
  },
  TargetProcessId: { id: 38, ecs: "target.process.pid", doc: "its process id" },
  TargetRole: { id: 39, ecs: "target.process.role", doc: "its role; none without one" },
  Access: {
    id: 40,
    ecs: "event.access",
    doc: "attach, seize, read, write, environment or descriptor",
  },
  Signal: { id: 41, ecs: "event.signal", doc: "number of the signal" },
  type: {
    id: 42,
    ecs: "auditd.type",
    doc: "of auditd's records: EXECVE for an exec, PATH for an open",
  },
  name: { id: 43, ecs: "auditd.name", doc: "auditd's name of TargetFilename" },
  a0: { id: 44, ecs: "auditd.a0", doc: "first argument of an exec" },
  a1: { id: 45, ecs: "auditd.a1", doc: "second argument" },
  a2: { id: 46, ecs: "auditd.a2", doc: "third argument" },
  a3: { id: 47, ecs: "auditd.a3", doc: "fourth argument" },
  a4: { id: 48, ecs: "auditd.a4", doc: "fifth argument" },
  a5: { id: 49, ecs: "auditd.a5", doc: "sixth argument" },
  a6: { id: 50, ecs: "auditd.a6", doc: "seventh argument" },
  a7: { id: 51, ecs: "auditd.a7", doc: "eighth argument" },
  a8: { id: 52, ecs: "auditd.a8", doc: "ninth argument" },
  a9: { id: 53, ecs: "auditd.a9", doc: "tenth argument" },
  SourceFilename: { id: 54, ecs: "file.old_path", doc: "of a rename the path before" },
  Change: {
    id: 55,
    ecs: "event.change",
    doc: "create, write, rename, delete, link, symlink or attributes",
  },
  FileMode: { id: 56, ecs: "file.mode", doc: "permission bits after a change, 4 octal digits" },
  FileOwnerId: { id: 57, ecs: "file.uid", doc: "user that a changed file belongs to" },
  Flags: {
    id: 58,
    ecs: "labels.flags",
    doc:
      "names of the record's flags that are set, joined by spaces: deleted, memory_only, compat, " +
      "truncated, ...",
  },
  Act: {
    id: 59,
    ecs: "event.act",
    doc: "setns, unshare, mount, unmount, pivot_root, chroot, bpf, perf_event, module_load or " +
      "executable_memory",
  },
  ActArgument: {
    id: 60,
    ecs: "event.act_argument",
    doc:
      "of an act: flags, command of bpf, type of a perf event, protection of memory, or the error " +
      "by which the kernel refused a module (0 = loaded); a number",
  },
  MountNamespace: {
    id: 61,
    ecs: "process.namespaces.mount",
    doc: "number of the mount namespace, of an exec or after an act",
  },
  PidNamespace: { id: 62, ecs: "process.namespaces.pid", doc: "the same of the pid namespace" },
  NetworkNamespace: {
    id: 63,
    ecs: "process.namespaces.network",
    doc: "the same of the network namespace",
  },
  UserNamespace: { id: 64, ecs: "process.namespaces.user", doc: "the same of the user namespace" },
  Hashes: {
    id: 65,
    ecs: "file.hash.all",
    doc: "SHA256= and the hash of a program or watched file, in capitals as Sysmon has it",
  },
  sha256: { id: 66, ecs: "file.hash.sha256", doc: "the hash, 64 hexadecimal digits" },
  ContainerId: {
    id: 67,
    ecs: "container.id",
    doc:
      "id of the container that the process's cgroup belongs to: 64 hexadecimal digits, or the " +
      "name of a machine",
  },
} as const satisfies Record<string, StandardField>;

/** Name of a standard field. */
export type StandardFieldName = keyof typeof STANDARD_FIELDS;

/**
 * Looks up a field by its Sigma name.
 *
 * @param name Name as a rule has it; case counts.
 * @returns The field, or `undefined` when no record carries it.
 */
export function standardField(name: string): StandardField | undefined {
  return Object.hasOwn(STANDARD_FIELDS, name)
    ? STANDARD_FIELDS[name as StandardFieldName]
    : undefined;
}
