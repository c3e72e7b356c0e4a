import type { RecordView } from "./decode.ts";
import { type HostBoot, processEntityId } from "./process_key.ts";
import { kindName } from "./table.ts";
import { FLAGS, OPEN_FLAGS_UNKNOWN } from "./values.ts";
import {
  actPart,
  changePart,
  changeType,
  dnsPart,
  eventPart,
  execPart,
  hashPart,
  labelsPart,
  namespacesPart,
  processHashPart,
  socketPart,
  stdioPeer,
  targetPart,
  verdictPart,
} from "./ecs_kinds.ts";
import { isLogKind, logPart, logUser, outcomePart, tamperPart } from "./ecs_log.ts";
import { argumentList, commandLine, text } from "./text.ts";

/** What a process runs, as the process table or a record has it. */
export interface ProgramBytes {
  readonly image: Uint8Array | undefined;
  /** Arguments, each with its NUL. */
  readonly argv: Uint8Array | undefined;
  readonly cwd: Uint8Array | undefined;
}

/** What a record alone does not tell. */
export interface EcsContext extends HostBoot {
  /** Host name. */
  readonly hostName: string;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: bigint;
  /** Program of the record's process; for exec and process records the record has it. */
  readonly process?: ProgramBytes | undefined;
  /** Program of the parent. */
  readonly parent?: ProgramBytes | undefined;
  /** Id of the container that a cgroup belongs to, `undefined` where it does to none. */
  readonly containerId?: (cgroupId: bigint) => string | undefined;
  /** Name of a role, `undefined` where it has none. */
  readonly roleName?: (role: number) => string | undefined;
  /** Name of a user, `undefined` where it has none. */
  readonly userName?: (uid: number) => string | undefined;
}

/** A nested ECS document; absent means not known. */
export interface EcsDocument {
  readonly "@timestamp": string;
  readonly event: {
    readonly kind: "event";
    readonly category: readonly string[];
    readonly type: readonly string[];
    readonly action: string;
    readonly sequence: number;
    readonly provider: string;
    /** Nanoseconds that a connection lasted. */
    readonly duration?: number;
    /** How a process reached into another one: attach, seize, read or write. */
    readonly access?: string;
    /** Number of the signal that was sent. */
    readonly signal?: number;
    /** What became of a file: a name of CHANGES. */
    readonly change?: string;
    /** What came of it, where a log says so. */
    readonly outcome?: "unknown" | "success" | "failure";
    /** What a process did with a privilege: a name of ACTS. */
    readonly act?: string;
    /** Flags, command, type or protection of an act. */
    readonly act_argument?: number;
    /** Namespace that was entered, process of a perf event, or address of memory. */
    readonly act_object?: string;
  };
  readonly host: { readonly id: string; readonly name: string };
  readonly process?: EcsProcess;
  readonly user?: {
    readonly id: string;
    readonly name?: string;
    readonly changes?: { readonly from: { readonly id: string } };
    /** Who they act as, or wanted to. */
    readonly effective?: { readonly name: string };
  };
  readonly group?: { readonly id: string };
  /** Container that the process belongs to. */
  readonly container?: { readonly id: string };
  readonly file?: {
    readonly path: string;
    /** Path that it was opened by, where `path` is the watched one of the same file. */
    readonly opened_as?: string;
    readonly inode?: string;
    /** Flags of open(2), where the way of observing tells them. */
    readonly open_flags?: number;
    /** Of a rename the path before. */
    readonly old_path?: string;
    /** Permission bits after a change, 4 octal digits. */
    readonly mode?: string;
    /** User and group that it belongs to after a change. */
    readonly uid?: string;
    readonly gid?: string;
    /** Names that it has after a change. */
    readonly links?: number;
    readonly hash?: { readonly sha256: string };
    readonly size?: number;
  };
  readonly destination?: EcsEndpoint;
  readonly source?: Partial<EcsEndpoint>;
  readonly network?: {
    readonly transport: string;
    readonly type: string;
    readonly initiated: boolean;
  };
  readonly dns?: {
    readonly type: "query" | "answer";
    readonly id: string;
    readonly question: { readonly name: string; readonly type: string };
    /** RCODE of an answer. */
    readonly response_code?: string;
    /** Addresses of an answer. */
    readonly resolved_ip?: readonly string[];
  };
  /** What a log says of a login, or of acting as another user. */
  readonly authentication?: EcsAuthentication;
  /** Where a line of a log is from. */
  readonly log?: {
    /** file, audit or journal. */
    readonly origin: string;
    /** unknown, proven, or other: not the program that the line names. */
    readonly writer: string;
    readonly program?: string;
  };
  /** The line. */
  readonly message?: string;
  /** What was done to the agent. */
  readonly tamper?: {
    /** A name of `TAMPERS`. */
    readonly what: string;
    readonly object: string;
    readonly detail: string;
    readonly restored: boolean;
  };
  /** The other process, of a signal or an access. */
  readonly target?: { readonly process: EcsProcess };
  /** What the enforcement policy did, of a verdict. */
  readonly enforcement?: EcsEnforcement;
  /** Names of the record's flags that are set. */
  readonly labels?: { readonly flags: readonly string[] };
}

/** What a log says of a login. */
export interface EcsAuthentication {
  readonly service?: string;
  readonly method?: string;
  readonly terminal?: string;
  readonly command?: string;
  readonly session?: string;
}

/** A verdict of the enforcement policy. */
export interface EcsEnforcement {
  /** Number of the entry, from 1. */
  readonly entry: number;
  /** Its name, where the policy is at hand. */
  readonly name?: string;
  /** exec, connect, bind or open. */
  readonly action: string;
  /** lsm, cgroup, fanotify or signal. */
  readonly tier: string;
  /** refused, killed, monitored, capped or failed. */
  readonly outcome: string;
  /** First 8 bytes of the policy's SHA-256. */
  readonly policy: string;
  /** Whether what was to be true afterwards was found, and what that was. */
  readonly verified?: boolean;
  readonly finding?: string;
}

/** One end of a connection. */
export interface EcsEndpoint {
  readonly ip: string;
  readonly port: number;
  /** Its name, where a log gives one. */
  readonly domain?: string;
  /** Bytes that it sent, where the connection has ended. */
  readonly bytes?: number;
}

/** A process in an ECS document. */
export interface EcsProcess {
  readonly pid: number;
  readonly entity_id?: string;
  readonly start?: string;
  readonly executable?: string;
  readonly name?: string;
  readonly command_line?: string;
  readonly args?: readonly string[];
  readonly working_directory?: string;
  readonly exec_file?: string;
  readonly exit_code?: number;
  readonly exit_signal?: number;
  /** Standard streams that are IP sockets: stdin, stdout, stderr. */
  readonly stdio_socket?: string;
  /** True where the kernel lists it and /proc does not. */
  readonly hidden?: boolean;
  /** Numbers of its namespaces. */
  readonly namespaces?: {
    readonly mount: number;
    readonly pid: number;
    readonly network: number;
    readonly user: number;
  };
  readonly thread?: { readonly id: number };
  /** Role, where it has one. */
  readonly role?: string;
  /** Session, where it belongs to one: 16 hexadecimal digits. */
  readonly session?: { readonly id: string };
  readonly real_user?: { readonly id: string };
  readonly hash?: { readonly sha256: string };
  readonly parent?: EcsProcess & { readonly user?: { readonly id: string } };
}

const EVENTS: Readonly<Record<string, readonly [category: string, type: string]>> = {
  exec: ["process", "start"],
  fork: ["process", "start"],
  exit: ["process", "end"],
  identity: ["process", "change"],
  connect: ["network", "start"],
  bind: ["network", "info"],
  open: ["file", "access"],
  signal: ["process", "change"],
  access: ["process", "access"],
  listen: ["network", "info"],
  accept: ["network", "start"],
  flow: ["network", "end"],
  dns: ["network", "protocol"],
  change: ["file", "change"],
  act: ["process", "change"],
  image_hash: ["file", "info"],
  verdict: ["intrusion_detection", "denied"],
  process: ["process", "info"],
  login: ["authentication", "start"],
  auth_failure: ["authentication", "info"],
  privilege: ["authentication", "change"],
  log_line: ["host", "info"],
  tamper: ["intrusion_detection", "info"],
};

/**
 * A record as an ECS document: the form in which events leave the product.
 *
 * @param record Record of a kind below 128, or a `process` context.
 * @param context Host, clock and the programs of process and parent.
 * @returns A new document; it shares no bytes with the record.
 */
export function ecsDocument(record: RecordView, context: EcsContext): EcsDocument {
  const kind = record.kind ?? `kind_${record.kindId}`;
  const [category, ordinary] = EVENTS[kind] ?? ["host", "info"];
  const type = kind === "change" ? changeType(record) : ordinary;
  const userName = context.userName?.(record.uid);
  const isLog = isLogKind(record.kind);
  const container = context.containerId?.(record.cgroupId);
  return {
    "@timestamp": wallTime(record.timeNs, context),
    event: {
      kind: "event",
      category: [category],
      type: [type],
      action: kind,
      sequence: record.sequence,
      provider: `source-${record.source.toString(16)}`,
      ...(isLog ? outcomePart(record) : eventPart(record)),
    },
    host: { id: context.hostId, name: context.hostName },
    // A line of a log need not say which process wrote it, and its user is whom it is about.
    ...(isLog && record.pid === 0 ? {} : { process: processOf(record, context) }),
    ...(isLog ? logUserPart(record, context) : {
      user: {
        id: String(record.uid),
        ...(userName === undefined ? {} : { name: userName }),
        ...(kind === "identity"
          ? { changes: { from: { id: String(record.number("identity", "old_uid")) } } }
          : {}),
      },
      group: { id: String(record.gid) },
    }),
    ...(container === undefined ? {} : { container: { id: container } }),
    ...kindPart(record, context),
    ...flagsPart(record.flags),
  };
}

function logUserPart(record: RecordView, context: EcsContext): Pick<EcsDocument, "user"> {
  const user = logUser(record, context);
  return user === undefined ? {} : { user };
}

/**
 * A boot time as RFC 3339 text in UTC.
 *
 * @param timeNs Nanoseconds since boot.
 * @param context The offset to Unix time, in nanoseconds.
 */
export function wallTime(timeNs: bigint, context: { readonly wallOffsetNs: bigint }): string {
  return new Date(Number((timeNs + context.wallOffsetNs) / 1_000_000n)).toISOString();
}

/** What the record's process runs: from an exec or process record itself, else what is given. */
function programOf(record: RecordView, known: ProgramBytes | undefined): ProgramBytes | undefined {
  const kind = record.kind === "process" ? "process" : "exec";
  if (record.kind !== kind) return known;
  return {
    image: record.slot(kind, "image"),
    argv: record.slot(kind, "argv"),
    cwd: record.slot(kind, "cwd"),
  };
}

function processOf(record: RecordView, context: EcsContext): EcsProcess {
  const isExec = record.kind === "exec";
  const execFile = isExec ? record.slot("exec", "file_name") : undefined;
  return {
    ...identityOf(context, record.pid, record.startTimeNs),
    ...programPart(programOf(record, context.process)),
    ...(execFile === undefined ? {} : { exec_file: text(execFile) }),
    ...(record.kind === "exit"
      ? {
        exit_code: record.number("exit", "exit_code"),
        exit_signal: record.number("exit", "signal"),
      }
      : {}),
    thread: { id: record.tid },
    ...labelsPart(record, context),
    ...(isExec ? { real_user: { id: String(record.number("exec", "real_uid")) } } : {}),
    ...(isExec ? execPart(record) : {}),
    ...(record.kind === "act" ? namespacesPart(record) : {}),
    ...(record.kind === "image_hash" ? processHashPart(record) : {}),
    ...(record.kind === "process" && record.has("hidden") ? { hidden: true } : {}),
    parent: {
      ...identityOf(context, record.parentPid, record.parentStartTimeNs),
      ...programPart(context.parent),
      ...(isExec ? { user: { id: String(record.number("exec", "parent_uid")) } } : {}),
    },
  };
}

function identityOf(
  context: EcsContext,
  pid: number,
  startTimeNs: bigint,
): { pid: number; entity_id?: string; start?: string } {
  if (startTimeNs === 0n) return { pid };
  return {
    pid,
    entity_id: processEntityId(context, { pid, startTimeNs }),
    start: wallTime(startTimeNs, context),
  };
}

function programPart(program: ProgramBytes | undefined): Partial<EcsProcess> {
  const { image, argv, cwd } = program ?? {};
  const executable = image === undefined ? undefined : text(image);
  return {
    ...(executable === undefined
      ? {}
      : { executable, name: executable.slice(executable.lastIndexOf("/") + 1) }),
    ...(argv === undefined ? {} : { command_line: commandLine(argv), args: argumentList(argv) }),
    ...(cwd === undefined || cwd.length === 0 ? {} : { working_directory: text(cwd) }),
  };
}

function kindPart(record: RecordView, context: EcsContext): Partial<EcsDocument> {
  if (record.kind === "dns") return dnsPart(record);
  if (isLogKind(record.kind)) return logPart(record);
  if (record.kind === "tamper") return tamperPart(record);
  if (record.kind === "verdict") return verdictPart(record);
  if (record.kind === "signal" || record.kind === "access") return targetPart(record, context);
  if (record.kind === "change") return changePart(record);
  if (record.kind === "act") return actPart(record);
  if (record.kind === "image_hash") return hashPart(record);
  const network = socketPart(record);
  if (network !== undefined) return network;
  if (record.kind === "exec" && record.number("exec", "stdio_family") !== 0) {
    return { destination: stdioPeer(record) };
  }
  if (record.kind === "open") {
    const path = record.slot("open", "path");
    const openedAs = record.slot("open", "opened_as");
    const openFlags = record.number("open", "open_flags");
    return {
      file: {
        path: path === undefined ? "" : text(path),
        ...(openedAs === undefined || openedAs.length === 0 ? {} : { opened_as: text(openedAs) }),
        inode: String(record.number("open", "inode")),
        ...(openFlags === OPEN_FLAGS_UNKNOWN ? {} : { open_flags: openFlags }),
      },
    };
  }
  return {};
}

function flagsPart(flags: number): Partial<EcsDocument> {
  const names = Object.entries(FLAGS).filter(([, bit]) => flags & bit).map(([name]) => name);
  return names.length === 0 ? {} : { labels: { flags: names } };
}

/** The kinds that {@linkcode ecsDocument} describes in full. */
export function hasEcsForm(kindId: number): boolean {
  return (kindName(kindId) ?? "") in EVENTS;
}
