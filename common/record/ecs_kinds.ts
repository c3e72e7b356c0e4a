// What single kinds of records add to an ECS document.

import type { RecordView } from "./decode.ts";
import { answeredAddresses } from "./dns.ts";
import type { EcsContext, EcsDocument, EcsEndpoint, EcsProcess } from "./ecs.ts";
import { processEntityId } from "./process_key.ts";
import {
  ACCESSES,
  ACTS,
  CHANGES,
  VERDICT_ACTIONS,
  VERDICT_OUTCOMES,
  VERDICT_TIERS,
} from "./values.ts";
import { addressText, text } from "./text.ts";

const TRANSPORTS: Readonly<Record<number, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  33: "dccp",
  58: "ipv6-icmp",
  115: "l2tp",
  132: "sctp",
  136: "udplite",
  262: "mptcp",
};
const QUERY_TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  65: "HTTPS",
  255: "ANY",
};
const STREAMS = ["stdin", "stdout", "stderr"] as const;
const FAMILY_IPV6 = 10;
/** Permission bits with those of set-id and sticky. */
const MODE_BITS = 0o7777;

/** The ends of a connection, of the kinds that have one. */
export function socketPart(record: RecordView): Partial<EcsDocument> | undefined {
  switch (record.kind) {
    case "connect":
      return { destination: first(record), network: networkPart(record, true) };
    case "bind":
    case "listen":
      return { source: first(record), network: networkPart(record, false) };
    case "accept": {
      const peer = record.address("accept", "peer_address");
      return {
        source: endOf(record, { address: peer, port: record.number("accept", "peer_port") }),
        destination: first(record),
        network: networkPart(record, false),
      };
    }
    case "flow":
      return flowPart(record);
    default:
      return undefined;
  }
}

function flowPart(record: RecordView): Partial<EcsDocument> {
  const own = record.address("flow", "local_address");
  const port = record.number("flow", "local_port");
  return {
    source: {
      ...endOf(record, { address: own, port }),
      bytes: record.number("flow", "bytes_sent"),
    },
    destination: { ...first(record), bytes: record.number("flow", "bytes_received") },
    network: networkPart(record, record.number("flow", "initiated") !== 0),
  };
}

/** The end whose address all socket kinds have first. */
function first(record: RecordView): EcsEndpoint {
  const address = record.address("connect", "address");
  return endOf(record, { address, port: record.number("connect", "port") });
}

function endOf(
  record: RecordView,
  { address, port }: { readonly address: Uint8Array; readonly port: number },
): EcsEndpoint {
  return { ip: addressText(address, record.number("connect", "family")), port };
}

function networkPart(record: RecordView, initiated: boolean): EcsDocument["network"] & object {
  const protocol = record.number("connect", "protocol");
  return {
    transport: TRANSPORTS[protocol] ?? String(protocol),
    type: record.number("connect", "family") === FAMILY_IPV6 ? "ipv6" : "ipv4",
    initiated,
  };
}

/** Question, answer and server of a DNS message. */
export function dnsPart(record: RecordView): Partial<EcsDocument> {
  const isAnswer = record.number("dns", "is_answer") !== 0;
  const type = record.number("dns", "query_type");
  const message = record.slot("dns", "message");
  return {
    destination: first(record),
    network: networkPart(record, true),
    dns: {
      type: isAnswer ? "answer" : "query",
      id: String(record.number("dns", "transaction")),
      question: {
        name: text(record.slot("dns", "name") ?? new Uint8Array()),
        type: QUERY_TYPES[type] ?? String(type),
      },
      ...(isAnswer
        ? {
          response_code: String(record.number("dns", "response_code")),
          resolved_ip: message === undefined ? [] : answeredAddresses(message),
        }
        : {}),
    },
  };
}

/** The process that is signalled or reached into. */
export function targetPart(record: RecordView, context: EcsContext): Partial<EcsDocument> {
  // Both kinds have it in the same places.
  const kind = record.kind === "access" ? "access" : "signal";
  const pid = record.number(kind, "target_pid");
  const startTimeNs = record.wholeNumber(kind, "target_start_time_ns");
  const label = {
    role: record.number(kind, "target_role"),
    session: record.wholeNumber(kind, "target_session"),
  };
  return {
    target: {
      process: {
        pid,
        entity_id: processEntityId(context, { pid, startTimeNs }),
        ...labelsPart(label, context),
      },
    },
  };
}

/** What the policy refused, where, and the thing itself. */
export function verdictPart(record: RecordView): Partial<EcsDocument> {
  const number = (name: "entry" | "action" | "tier" | "outcome"): number =>
    record.number("verdict", name);
  const action = nameOf(VERDICT_ACTIONS, number("action"));
  const path = record.slot("verdict", "path");
  const isAddress = record.number("verdict", "family") !== 0;
  return {
    ...(isAddress
      ? {
        [action === "bind" ? "source" : "destination"]: first(record),
        network: networkPart(record, action === "connect"),
      }
      : {
        file: {
          path: path === undefined ? "" : text(path),
          inode: String(record.wholeNumber("verdict", "inode")),
        },
      }),
    enforcement: {
      entry: number("entry"),
      action,
      tier: nameOf(VERDICT_TIERS, number("tier")),
      outcome: nameOf(VERDICT_OUTCOMES, number("outcome")),
      policy: record.wholeNumber("verdict", "policy").toString(16).padStart(16, "0"),
    },
  };
}

/** Role and session as names and digits; absent where there are none. */
export function labelsPart(
  { role, session }: { readonly role: number; readonly session: bigint },
  context: Pick<EcsContext, "roleName">,
): Partial<EcsProcess> {
  return {
    ...(role === 0 ? {} : { role: context.roleName?.(role) ?? String(role) }),
    ...(session === 0n ? {} : { session: { id: session.toString(16).padStart(16, "0") } }),
  };
}

/** What is said of the event itself. */
export function eventPart(record: RecordView): Partial<EcsDocument["event"]> {
  if (record.kind === "flow") return { duration: record.number("flow", "duration_ns") };
  if (record.kind === "signal") return { signal: record.number("signal", "signal") };
  if (record.kind === "change") {
    return { change: nameOf(CHANGES, record.number("change", "change")) };
  }
  if (record.kind === "act") {
    return {
      act: nameOf(ACTS, record.number("act", "act")),
      act_argument: record.number("act", "argument"),
      act_object: String(record.wholeNumber("act", "object")),
    };
  }
  if (record.kind !== "access") return {};
  return { access: nameOf(ACCESSES, record.number("access", "access")) };
}

/** Name of a number; its digits where it has none. */
function nameOf(names: Readonly<Record<string, number>>, wanted: number): string {
  return Object.entries(names).find(([, number]) => number === wanted)?.[0] ?? String(wanted);
}

/** Type of a change in ECS. */
export function changeType(record: RecordView): string {
  const what = record.number("change", "change");
  if (what === CHANGES.delete) return "deletion";
  const makes = what === CHANGES.create || what === CHANGES.link || what === CHANGES.symlink;
  return makes ? "creation" : "change";
}

/** The file of a change; what was looked at afterwards is absent when it was gone by then. */
export function changePart(record: RecordView): Partial<EcsDocument> {
  const path = record.slot("change", "path");
  const oldPath = record.slot("change", "old_path");
  const mode = record.number("change", "mode");
  return {
    file: {
      path: path === undefined ? "" : text(path),
      ...(oldPath === undefined ? {} : { old_path: text(oldPath) }),
      ...(mode === 0 ? {} : {
        inode: String(record.number("change", "inode")),
        mode: (mode & MODE_BITS).toString(8).padStart(4, "0"),
        uid: String(record.number("change", "owner_uid")),
        gid: String(record.number("change", "owner_gid")),
        links: record.number("change", "links"),
      }),
    },
  };
}

/** The file of an act, or what the caller wrote. */
export function actPart(record: RecordView): Partial<EcsDocument> {
  const path = record.slot("act", "path");
  const source = record.slot("act", "source");
  if (path === undefined && source === undefined) return {};
  return {
    file: {
      path: path === undefined ? "" : text(path),
      ...(source === undefined ? {} : { old_path: text(source) }),
    },
  };
}

function sha256Of(record: RecordView): { readonly hash: { readonly sha256: string } } {
  return { hash: { sha256: (record.slot("image_hash", "sha256") ?? new Uint8Array()).toHex() } };
}

/** The file that was hashed. */
export function hashPart(record: RecordView): Partial<EcsDocument> {
  const path = record.slot("image_hash", "path");
  return {
    file: {
      path: path === undefined ? "" : text(path),
      inode: String(record.number("image_hash", "inode")),
      size: record.number("image_hash", "size"),
      ...sha256Of(record),
    },
  };
}

/** Hash of the program of a process; nothing when it is that of another file. */
export function processHashPart(record: RecordView): Partial<EcsProcess> {
  return record.number("image_hash", "is_program") === 0 ? {} : sha256Of(record);
}

/** Namespaces of a process after an act. */
export function namespacesPart(record: RecordView): Partial<EcsProcess> {
  return {
    namespaces: {
      mount: record.number("act", "mount_namespace"),
      pid: record.number("act", "pid_namespace"),
      network: record.number("act", "network_namespace"),
      user: record.number("act", "user_namespace"),
    },
  };
}

/** Standard streams and namespaces of an exec; nothing of what an older writer did not have. */
export function execPart(record: RecordView): Partial<EcsProcess> {
  const mount = record.number("exec", "mount_namespace");
  const bits = record.number("exec", "stdio_sockets");
  const streams = STREAMS.filter((_, i) => (bits >> i & 1) === 1);
  return {
    ...(streams.length === 0 ? {} : { stdio_socket: streams.join(" ") }),
    ...(mount === 0 ? {} : {
      namespaces: {
        mount,
        pid: record.number("exec", "pid_namespace"),
        network: record.number("exec", "network_namespace"),
        user: record.number("exec", "user_namespace"),
      },
    }),
  };
}

/** Who is behind the standard streams of an exec. */
export function stdioPeer(record: RecordView): EcsEndpoint {
  const address = record.address("exec", "stdio_address");
  return {
    ip: addressText(address, record.number("exec", "stdio_family")),
    port: record.number("exec", "stdio_port"),
  };
}
