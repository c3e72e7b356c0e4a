import { encodeRecord, type HeaderValues } from "../../common/record/mod.ts";
import { ACCESSES, ACTS, CHANGES, FLAGS } from "../../common/record/values.ts";
import type { ExampleEvent } from "../../common/sigma/mod.ts";

/** Flags of open(2) for a file that is opened for writing. */
const OPEN_WRITE_ONLY = 1;
const IPV4_BYTES = 4;
const TARGET = { pid: 300, start_time_ns: 3000n } as const;
const STREAMS = ["stdin", "stdout", "stderr"] as const;

interface Act {
  readonly category: string | undefined;
  /** Header of the process that acts. */
  readonly process: HeaderValues;
  /** Names of roles; number n has id n + 1. */
  readonly roles: readonly string[];
}

function address(text: string): { readonly family: number; readonly address: Uint8Array } {
  const bytes = new Uint8Array(16);
  if (text.includes(".")) {
    bytes.set(text.split(".").map(Number));
    return { family: 2, address: bytes };
  }
  const [head = "", tail = ""] = text.split("::");
  const groups = (part: string) =>
    part.split(":").filter((group) => group !== "").flatMap((group) => {
      const value = parseInt(group, 16);
      return [value >> 8, value & 0xFF];
    });
  bytes.set(groups(head));
  bytes.set(groups(tail), 16 - groups(tail).length);
  return { family: 10, address: bytes };
}

/**
 * The body of an exec that says which standard streams are sockets.
 *
 * @param event Event of a rule.
 * @returns Fields; all 0 where the event has none.
 */
export function streamsOf(event: ExampleEvent): Readonly<Record<string, number | Uint8Array>> {
  const named = event["StdioSocket"] ?? "";
  if (named === "") return {};
  const { family, address: bytes } = address(event["DestinationIp"] ?? "192.0.2.1");
  return {
    stdio_sockets: STREAMS.reduce((bits, name, i) => bits | (named.includes(name) ? 1 << i : 0), 0),
    stdio_family: family,
    stdio_port: Number(event["DestinationPort"] ?? 0),
    stdio_address: bytes,
  };
}

/**
 * The bits of a header's flags.
 *
 * @param event Event of a rule.
 */
export function flagsOf(event: ExampleEvent): number {
  const names = (event["Flags"] ?? "").split(" ");
  return names.reduce((bits, name) => bits | (FLAGS[name as keyof typeof FLAGS] ?? 0), 0);
}

/**
 * The records of a kernel that would tell what a process did.
 *
 * @param event Event of a rule.
 * @param act Its category, who did it, and the numbers of roles.
 * @returns Records behind those of the process and its parent.
 */
export function actOf(event: ExampleEvent, act: Act): Uint8Array[] {
  const { category, process: header } = act;
  const number = (name: string, other: number) => Number(event[name] ?? other);
  const end = (name: string, other: string) => address(event[name] ?? other);
  const tcp = { protocol: 6, socket_type: 1 };
  switch (category) {
    case "network_connection": {
      const body = { ...end("DestinationIp", "192.0.2.1"), port: number("DestinationPort", 80) };
      return [
        ...named(event, body),
        encodeRecord("connect", { header, body: { ...body, ...tcp } }),
      ];
    }
    case "network_bind": {
      const body = { ...end("SourceIp", "0.0.0.0"), port: number("SourcePort", 80), ...tcp };
      return [encodeRecord("bind", { header, body })];
    }
    case "network_accept": {
      const { family, address: peer_address } = end("SourceIp", "192.0.2.1");
      const body = { family, peer_address, port: number("DestinationPort", 80), ...tcp };
      return [encodeRecord("accept", { header, body })];
    }
    case "network_flow": {
      const body = {
        ...end("DestinationIp", "192.0.2.1"),
        ...tcp,
        initiated: event["Initiated"] === "true" ? 1 : 0,
        bytes_sent: number("BytesSent", 0),
      };
      return [encodeRecord("flow", { header, body })];
    }
    case "dns_query": {
      const slots = { name: event["QueryName"] ?? "", message: "" };
      return [encodeRecord("dns", { header, body: { family: 2, query_type: 1 }, slots })];
    }
    case "process_snapshot": {
      const flags = event["Hidden"] === "true" ? FLAGS.hidden : 0;
      return [encodeRecord("process", { header: { ...header, flags } })];
    }
    case "process_signal":
    case "process_access":
      return meetings(event, act);
    case "file_delete":
    case "file_rename":
    case "file_change":
      return [changeOf(event, act)];
    case "privileged_act":
      return [privilegeOf(event, act)];
    case "file_access":
    case "file_event": {
      if (event["Change"] != null) return [changeOf(event, act)];
      const open_flags = category === "file_event" ? OPEN_WRITE_ONLY : 0;
      const path = event["TargetFilename"] ?? "";
      return [encodeRecord("open", { header, body: { open_flags }, slots: { path } })];
    }
    default:
      return [];
  }
}

/** Changes of which a category tells, where the event does not say which. */
const CHANGE_BY_CATEGORY: Readonly<Record<string, number>> = {
  file_delete: CHANGES.delete,
  file_rename: CHANGES.rename,
  file_change: CHANGES.attributes,
};

/** What became of a watched file or name. */
function changeOf(event: ExampleEvent, { category = "", process: header }: Act): Uint8Array {
  const change = CHANGES[event["Change"] as keyof typeof CHANGES] ??
    CHANGE_BY_CATEGORY[category] ?? 0;
  const mode = parseInt(event["FileMode"] ?? "0", 8);
  const old_path = event["SourceFilename"];
  const slots = {
    path: event["TargetFilename"] ?? "",
    ...(old_path == null ? {} : { old_path }),
  };
  return encodeRecord("change", { header, body: { change, mode }, slots });
}

/** A privilege that was used, or memory that became executable. */
function privilegeOf(event: ExampleEvent, { process: header }: Act): Uint8Array {
  return encodeRecord("act", {
    header,
    body: { act: ACTS[event["Act"] as keyof typeof ACTS] ?? 0 },
    slots: { path: event["TargetFilename"] ?? "" },
  });
}

/** The DNS answer that gives an address its name, if the event has one. */
function named(
  event: ExampleEvent,
  { family, address: bytes }: { readonly family: number; readonly address: Uint8Array },
): Uint8Array[] {
  const name = event["DestinationHostname"];
  if (name == null) return [];
  const data = family === 2 ? bytes.subarray(0, IPV4_BYTES) : bytes;
  const record = [0xc0, 12, 0, family === 2 ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, data.length, ...data];
  // One question, for the root, and one answer.
  const message = new Uint8Array([0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1].concat(
    record,
  ));
  const body = { family: 2, query_type: 1, is_answer: 1 };
  return [encodeRecord("dns", { body, slots: { name, message } })];
}

/** A signal or an access, behind the exec of the process that it is about. */
function meetings(event: ExampleEvent, { category, process: header, roles }: Act): Uint8Array[] {
  const image = event["TargetImage"];
  const target = {
    target_pid: TARGET.pid,
    target_start_time_ns: TARGET.start_time_ns,
    target_role: roles.indexOf(event["TargetRole"] ?? "") + 1,
  };
  const way = ACCESSES[event["Access"] as keyof typeof ACCESSES] ?? 0;
  const signal = Number(event["Signal"] ?? 0);
  return [
    ...(image == null ? [] : [encodeRecord("exec", { header: TARGET, slots: { image } })]),
    category === "process_signal"
      ? encodeRecord("signal", { header, body: { signal, ...target } })
      : encodeRecord("access", { header, body: { access: way, ...target } }),
  ];
}
