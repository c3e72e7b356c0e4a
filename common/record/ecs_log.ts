// What records of logs, and of what was done to the agent, add to an ECS document.

import type { RecordView } from "./decode.ts";
import type { EcsAuthentication, EcsContext, EcsDocument } from "./ecs.ts";
import { known } from "./known.ts";
import type { KindName } from "./table.ts";
import { addressText, text } from "./text.ts";
import { LOG_ORIGINS, LOG_WRITERS, OUTCOMES, TAMPERS } from "./values.ts";

/** Kinds of records that lines of logs become. */
export const LOG_KINDS = ["login", "auth_failure", "privilege", "log_line"] as const;
/** Kind of a record that a line of a log became. */
export type LogKind = (typeof LOG_KINDS)[number];

/** `user` of a document; it has an id also where only the name is known. */
type EcsUser = EcsDocument["user"] & object;

/**
 * Tells whether a kind is one of those of logs.
 *
 * @param kind Name of a kind.
 */
export function isLogKind(kind: KindName | undefined): kind is LogKind {
  return (LOG_KINDS as readonly (string | undefined)[]).includes(kind);
}

/** What a record of a log says beside its header. */
export function logPart(record: RecordView): Partial<EcsDocument> {
  // All of these kinds have the same body and slots.
  const kind = "login";
  const of = (slot: Parameters<typeof record.slot<"login">>[1]): string | undefined => {
    const bytes = record.slot(kind, slot);
    return bytes === undefined || bytes.length === 0 ? undefined : text(bytes);
  };
  const family = record.number(kind, "family");
  const host = of("host");
  const authentication: EcsAuthentication = known({
    service: of("service"),
    method: of("method"),
    terminal: of("terminal"),
    command: of("command"),
    session: of("login_session"),
  });
  const ip = family === 0 ? undefined : addressText(record.address(kind, "address"), family);
  return {
    ...(ip === undefined && host === undefined ? {} : {
      source: {
        ...known({ ip, domain: host }),
        ...(record.number(kind, "port") === 0 ? {} : { port: record.number(kind, "port") }),
      },
    }),
    ...(Object.keys(authentication).length === 0 ? {} : { authentication }),
    log: {
      origin: nameOf(LOG_ORIGINS, record.number(kind, "origin")),
      writer: nameOf(LOG_WRITERS, record.number(kind, "writer")),
      ...known({ program: of("program") }),
    },
    message: of("line") ?? "",
  };
}

/** Who a record of a log is about; nothing where it names nobody. */
export function logUser(
  record: RecordView,
  { userName }: Pick<EcsContext, "userName">,
): EcsUser | undefined {
  const bytes = record.slot("login", "user");
  const target = record.slot("login", "target_user");
  if (bytes === undefined && target === undefined) return undefined;
  const name = bytes === undefined ? "" : text(bytes);
  const isHosts = name !== "" && userName?.(record.uid) === name;
  return {
    id: isHosts ? String(record.uid) : name,
    ...(name === "" ? {} : { name }),
    ...(target === undefined ? {} : { effective: { name: text(target) } }),
  };
}

/** What came of it, of records of logs. */
export function outcomePart(record: RecordView): Pick<EcsDocument["event"], "outcome"> {
  const outcome = nameOf(OUTCOMES, record.number("login", "outcome"));
  return { outcome: outcome as "unknown" | "success" | "failure" };
}

/** What was done to the agent. */
export function tamperPart(record: RecordView): Partial<EcsDocument> {
  const object = record.slot("tamper", "object");
  const detail = record.slot("tamper", "detail");
  const pid = record.number("tamper", "other_pid");
  return {
    tamper: {
      what: nameOf(TAMPERS, record.number("tamper", "what")),
      object: object === undefined ? "" : text(object),
      detail: detail === undefined ? "" : text(detail),
      restored: record.number("tamper", "restored") !== 0,
    },
    ...(pid === 0 ? {} : { target: { process: { pid } } }),
  };
}

function nameOf(names: Readonly<Record<string, number>>, number: number): string {
  return Object.entries(names).find(([, value]) => value === number)?.[0] ?? String(number);
}
