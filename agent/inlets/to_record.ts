import {
  encodeRecord,
  FLAGS,
  LOG_ORIGINS,
  LOG_WRITERS,
  OUTCOMES,
  type SlotName,
  SOURCES,
} from "../../common/record/mod.ts";
import { parseCidr } from "../../common/sigma/cidr.ts";
import type { LogEvent } from "./log_event.ts";

/** Longest value of one slot of a record of a log, in bytes; all of them fit into a record. */
export const LOG_VALUE_BYTES_MAX = 1024;
/** The same of a command. */
export const LOG_COMMAND_BYTES_MAX = 4096;
/** The same of the line. */
export const LOG_LINE_BYTES_MAX = 8192;

/** What a record of a log has beside its line. */
export interface LogOrigin {
  readonly sequence: number;
  /** Nanoseconds since boot of the event, as near as the line tells it. */
  readonly timeNs: bigint;
  /** The process that wrote it, where the process table has it. */
  readonly process?: {
    readonly startNs: bigint;
    readonly parentPid: number;
    readonly parentStartNs: bigint;
    readonly cgroupId: bigint;
    readonly session: bigint;
    readonly role: number;
  } | undefined;
  /** Id of a user of this host. */
  readonly userId: (name: string) => number | undefined;
  /** Overwrites key-like values in place; how many bytes. Default: none are. */
  readonly mask?: (text: Uint8Array) => number;
  /** False keeps all that is typed as it is: for what rules judge alone. Default: true. */
  readonly hides?: boolean;
}

/** Shorter names are no secret, and may stand anywhere in a line. */
const SECRET_LENGTH_MIN = 4;
/** User id of nobody whom the host knows. */
const NOBODY = 0xFFFF_FFFF;
/** A name as hosts have them, or one of a directory: `ada`, `ada.b`, `CORP\ada`, `ada@corp`. */
const PLAIN_NAME = /^[a-z_](?:[\w.-]|[\\@](?=[\w.-])){0,63}\$?$/i;
/** What nobody calls an account: capitals, small letters and digits or signs, as passwords have. */
const PASSWORD_LIKE = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,}$/;
/** A value of auditd's as hexadecimal digits. */
const CODED = /=((?:[0-9A-F]{2}){4,})(?!\w)/g;
const UTF8 = new TextEncoder();
const DECODER = new TextDecoder();

/**
 * A line of a log as a record.
 *
 * People type passwords where the name is asked for: a name that the host does not know and that
 * looks like none is overwritten, in the line too.
 *
 * @param event The line and what it says.
 * @param origin Time, number, process, users.
 * @returns Bytes of the record.
 */
export function logRecord(event: LogEvent, origin: LogOrigin): Uint8Array {
  const { told } = event;
  const secret = secretName(event, origin);
  const values = new Values(secret, origin.mask);
  const address = told.from === undefined ? undefined : addressOf(told.from);
  const slots = {
    program: values.of(event.program),
    service: values.of(told.service),
    user: values.of(told.user),
    target_user: values.of(told.targetUser),
    method: values.of(told.method),
    terminal: values.of(told.terminal),
    host: values.of(address === undefined ? told.from : undefined),
    command: values.of(told.command, LOG_COMMAND_BYTES_MAX),
    login_session: values.of(told.session ?? event.session),
    line: values.of(
      event.origin === "audit" ? values.recoded(event.message) : event.message,
      LOG_LINE_BYTES_MAX,
    ),
  };
  const { process } = origin;
  return encodeRecord(told.kind, {
    header: {
      source: SOURCES.logs,
      flags: values.flags,
      sequence: origin.sequence,
      time_ns: origin.timeNs,
      pid: event.pid,
      tid: event.pid,
      uid: (told.user === undefined ? undefined : origin.userId(told.user)) ?? NOBODY,
      gid: NOBODY,
      ...(process === undefined ? {} : {
        start_time_ns: process.startNs,
        parent_pid: process.parentPid,
        parent_start_time_ns: process.parentStartNs,
        cgroup_id: process.cgroupId,
        session: process.session,
        role: process.role,
      }),
    },
    body: {
      family: address?.family ?? 0,
      port: told.port !== undefined && told.port <= 0xFFFF ? told.port : 0,
      outcome: OUTCOMES[told.outcome ?? "unknown"],
      origin: LOG_ORIGINS[event.origin],
      address: address?.bytes ?? new Uint8Array(16),
      writer: LOG_WRITERS[event.writer ?? "unknown"],
    },
    slots: Object.fromEntries(
      Object.entries(slots).filter(([, value]) => value !== undefined),
    ) as Partial<Record<SlotName<"login">, Uint8Array>>,
  });
}

/** Values of one record, cut and masked. */
class Values {
  readonly #secret: string | undefined;
  readonly #mask: ((text: Uint8Array) => number) | undefined;
  flags = 0;

  constructor(secret: string | undefined, mask: ((text: Uint8Array) => number) | undefined) {
    this.#secret = secret;
    this.#mask = mask;
  }

  /** A line of auditd's with nothing to hide in the values that it has as digits. */
  recoded(line: string): string {
    return line.replaceAll(CODED, (whole, digits: string) => {
      const value = DECODER.decode(Uint8Array.fromHex(digits));
      const bytes = this.of(value, LOG_LINE_BYTES_MAX) ?? new Uint8Array();
      const kept = DECODER.decode(bytes);
      return kept === value ? whole : `=${bytes.toHex().toUpperCase()}`;
    });
  }

  of(value: string | undefined, bytesMax = LOG_VALUE_BYTES_MAX): Uint8Array | undefined {
    if (value === undefined || value === "") return undefined;
    const secret = this.#secret;
    const hidden = secret === undefined ? value : value.replaceAll(secret, "*".repeat(8));
    const bytes = UTF8.encode(hidden);
    const kept = bytes.length > bytesMax ? bytes.slice(0, bytesMax) : bytes;
    if (kept.length < bytes.length) this.flags |= FLAGS.truncated;
    if (hidden !== value || (this.#mask?.(kept) ?? 0) > 0) this.flags |= FLAGS.masked;
    return kept;
  }
}

/** A name that is nobody's, and may be a password. */
function secretName(
  { told }: LogEvent,
  { userId, hides = true }: LogOrigin,
): string | undefined {
  const { kind, user, unknownUser = false } = told;
  if (!hides || user === undefined) return undefined;
  if (kind !== "auth_failure" && !unknownUser) return undefined;
  if (user.length < SECRET_LENGTH_MIN) return undefined;
  if (userId(user) !== undefined) return undefined;
  return PLAIN_NAME.test(user) && !PASSWORD_LIKE.test(user) ? undefined : user;
}

/** An address as a record has it; `undefined` for a name. */
function addressOf(text: string): { family: number; bytes: Uint8Array } | undefined {
  // A zone (`fe80::1%eth0`) is this host's alone.
  const plain = text.replace(/%.*$/, "");
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(plain)) return undefined;
  const network = parseCidr(plain);
  if (typeof network === "string") return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(network.address);
  return { family: network.address.length === 4 ? 2 : 10, bytes };
}
