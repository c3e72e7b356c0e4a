import { jsonOf } from "../text/json.ts";
import { acknowledgementSchema, errorSchema } from "./protocol.ts";

/** Longest answer that is read, in bytes. */
export const ANSWER_BYTES_MAX = 64 * 1024;

/** What became of a message. */
export type Answer =
  /** Everything up to `position` of that journal is durable. */
  | {
    readonly type: "stored";
    readonly journalId: string;
    readonly position: number;
    /** What agents are to pin, by its `pinSetId`. */
    readonly pins?: string;
  }
  /** Positions are missing before it: it begins at `expected` for the hive. */
  | { readonly type: "gap"; readonly expected: number; readonly reason: string }
  /** The hive will never take this message. */
  | { readonly type: "refused"; readonly reason: string }
  /** The hive does not take anything from this agent. */
  | { readonly type: "forbidden"; readonly reason: string }
  /** The hive cannot take it now. */
  | { readonly type: "busy"; readonly reason: string }
  /** No answer of a hive. */
  | { readonly type: "unreachable"; readonly reason: string }
  /** What answers is another hive than the pinned one, or nobody's. */
  | { readonly type: "unpinned"; readonly reason: string };

/** Statuses of a request that may succeed later. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);
/** Statuses that stand for the message itself. */
const NEVER: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/**
 * Says what an HTTP answer means.
 *
 * @param status HTTP status.
 * @param text Its body.
 * @returns The answer.
 */
export function readAnswer(status: number, text: string): Answer {
  const body = jsonOf(text);
  if (status === 200) {
    const found = acknowledgementSchema.safeParse(body);
    if (found.success) {
      const { journalId, position, pins } = found.data;
      const stored = { type: "stored" as const, journalId, position };
      return pins === undefined ? stored : { ...stored, pins };
    }
    return { type: "unreachable", reason: "What answers is no hive: its acknowledgement is none" };
  }
  const error = errorSchema.safeParse(body).data?.error;
  const reason = error === undefined
    ? `HTTP status ${status}`
    : `${error.code}: ${printable(error.message)}`;
  if (status === 401 || status === 403) return { type: "forbidden", reason };
  // Another status without an error of a hive comes from something in between.
  if (error === undefined) {
    return status >= 500 ? { type: "busy", reason } : { type: "unreachable", reason };
  }
  if (status === 409 && error.expected !== undefined && error.expected >= 1) {
    return { type: "gap", expected: error.expected, reason };
  }
  if (NEVER.has(status)) return { type: "refused", reason };
  return LATER.has(status) || status >= 500
    ? { type: "busy", reason }
    : { type: "unreachable", reason };
}

/** One line without control characters, of bounded length: it comes from outside. */
export function printable(text: string): string {
  return text.slice(0, 500).replaceAll(/\p{Cc}+/gu, " ");
}
