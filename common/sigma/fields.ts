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
  TargetFilename: { id: 10, ecs: "file.path", doc: "path of the file that was opened" },
  DestinationIp: { id: 11, ecs: "destination.ip", doc: "address of a connect" },
  DestinationPort: { id: 12, ecs: "destination.port", doc: "port of a connect" },
  SourceIp: { id: 13, ecs: "source.ip", doc: "local address of a bind" },
  SourcePort: { id: 14, ecs: "source.port", doc: "local port of a bind" },
  Protocol: { id: 15, ecs: "network.transport", doc: "tcp, udp, or the protocol's number" },
  Initiated: { id: 16, ecs: "network.initiated", doc: "true for a connect, false for a bind" },
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
