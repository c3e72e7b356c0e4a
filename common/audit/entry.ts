import { createHash } from "node:crypto";

/** Most bytes of an entry's line: what its other bounds come to. */
export const ENTRY_BYTES_MAX = 64 * 1024;
/** Most characters of a text in an entry; what is longer is cut, and says so. */
export const TEXT_CHARACTERS_MAX = 256;
/** Most members of an entry's detail. */
export const DETAIL_MEMBERS_MAX = 16;
/** What the first entry has in the place of a hash. */
export const NO_HASH = "0".repeat(64);

/** Kinds of those who decide. */
export const ACTOR_KINDS = [
  "anonymous",
  "person",
  "program",
  "playbook",
  "agent",
  "hive",
] as const;

/** Who decided. */
export interface AuditActor {
  readonly kind: typeof ACTOR_KINDS[number];
  /** What tells it from others of its kind for ever, such as an agent's UUID. */
  readonly id: string;
  /** What people call it, such as a person's name. */
  readonly name?: string;
}

/** What can have been decided. */
export const DECISIONS = [
  "allowed",
  "refused",
  "asked",
  "approved",
  "denied",
  "expired",
  "done",
  "failed",
] as const;

/** What was decided. */
export type AuditDecision = typeof DECISIONS[number];

/** Facts of an entry. Never a secret: an audit log is there to be shown. */
export type AuditDetail = Readonly<Record<string, string | number | boolean | null>>;

/** A decision, as whoever takes it tells it. */
export interface AuditFact {
  readonly actor: AuditActor;
  /** What for, such as `agent.revoke`: words with dots between them. */
  readonly action: string;
  /** Of what, such as an agent's id. Default: nothing in particular. */
  readonly object?: string;
  readonly decision: AuditDecision;
  /** Default: none. */
  readonly detail?: AuditDetail;
}

/** A decision, as the log keeps it. */
export interface AuditEntry extends AuditFact {
  /** Counts up from 1, without a gap. */
  readonly sequence: number;
  /** RFC 3339, UTC. */
  readonly time: string;
  /** SHA-256 of the line before, without its end; 64 zeros in the first. */
  readonly previous: string;
}

/** Where a chain stands: all that is needed to go on, and to see later whether it was cut. */
export interface AuditHead {
  /** Of the last entry; 0 = there is none. */
  readonly sequence: number;
  /** SHA-256 of the last line without its end; 64 zeros when there is none. */
  readonly hash: string;
}

/**
 * What the next line's `previous` is.
 *
 * @param line A line without its end.
 * @returns SHA-256 (FIPS 180-4), 64 lower-case hexadecimal digits.
 */
export function hashLine(line: string): string {
  return createHash("sha256").update(line).digest("hex");
}

/**
 * An entry as a line without its end: JSON, members in a fixed order, texts cut to their bound.
 *
 * @param entry The entry.
 */
export function encodeEntry(entry: AuditEntry): string {
  const { sequence, time, actor, action, object, decision, detail, previous } = entry;
  return JSON.stringify({
    sequence,
    time,
    actor: { kind: actor.kind, id: cut(actor.id), name: actor.name && cut(actor.name) },
    action: cut(action),
    object: object === undefined ? undefined : cut(object),
    decision,
    detail: detail === undefined ? undefined : cutDetail(detail),
    previous,
  });
}

/**
 * Reads a line.
 *
 * @param line A line without its end.
 * @returns The entry, or `undefined` when the line is none.
 */
export function decodeEntry(line: string): AuditEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isEntry(value) ? value : undefined;
}

function cut(text: string): string {
  // Half of a surrogate pair could not be written.
  const whole = text.toWellFormed();
  if (whole.length <= TEXT_CHARACTERS_MAX) return whole;
  return `${whole.slice(0, TEXT_CHARACTERS_MAX - 1).toWellFormed()}…`;
}

function cutDetail(detail: AuditDetail): AuditDetail {
  return Object.fromEntries(
    Object.entries(detail).slice(0, DETAIL_MEMBERS_MAX).map(([name, value]) => [
      cut(name),
      typeof value === "string" ? cut(value) : value,
    ]),
  );
}

function isEntry(value: unknown): value is AuditEntry {
  if (!isObject(value) || !isObject(value["actor"])) return false;
  const { sequence, time, actor, action, object = "", decision, detail = {}, previous } = value;
  const { kind, id, name = "" } = actor as Record<string, unknown>;
  return Number.isSafeInteger(sequence) && Number(sequence) > 0 &&
    typeof time === "string" && !Number.isNaN(Date.parse(time)) &&
    ACTOR_KINDS.some((known) => known === kind) &&
    [id, name, action, object].every((text) => typeof text === "string") &&
    DECISIONS.some((known) => known === decision) &&
    isObject(detail) && Object.values(detail).every((each) => !isObject(each)) &&
    typeof previous === "string" && /^[0-9a-f]{64}$/.test(previous);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
