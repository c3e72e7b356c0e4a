import { ImmuneError } from "../config/errors.ts";
import { type AuditEntry, decodeEntry } from "./entry.ts";
import { type AuditSegment, listSegments, readSegment } from "./segments.ts";

/** Most entries of a page. */
export const ENTRIES_PER_PAGE_MAX = 1000;
/** Most segments that one page looks through. */
export const SEGMENTS_PER_PAGE_MAX = 8;

/** Which entries are wanted, newest first. */
export interface AuditQuery {
  /** At most this many, 1 to {@linkcode ENTRIES_PER_PAGE_MAX}. */
  readonly limit: number;
  /** Only those with a lower sequence. */
  readonly before?: number;
  /** Only those whose action is this, or starts with this and a dot. */
  readonly action?: string;
  /** Only those of the actor with this id or name. */
  readonly actor?: string;
}

/** A page of entries. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** For `before` of the next page; null = this was the last. */
  readonly next: number | null;
}

/**
 * Reads a log, newest first. Lines that are no entries are left out: a check names them.
 *
 * @param folder The log's folder.
 * @param query Which entries.
 * @throws {ImmuneError} `INPUT_MALFORMED` for a limit that is none, `FILE_UNREADABLE`.
 */
export function readEntries(folder: string, query: AuditQuery): AuditPage {
  const { limit, before = Number.MAX_SAFE_INTEGER } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > ENTRIES_PER_PAGE_MAX) {
    const message =
      `Cannot list entries: limit "${limit}" is not from 1 to ${ENTRIES_PER_PAGE_MAX}`;
    throw new ImmuneError("INPUT_MALFORMED", message);
  }
  const entries: AuditEntry[] = [];
  const below = listSegments(folder).filter(({ first }) => first < before).reverse();
  for (const segment of below.slice(0, SEGMENTS_PER_PAGE_MAX)) {
    for (const line of linesOf(segment).reverse()) {
      const entry = decodeEntry(line);
      if (entry === undefined || entry.sequence >= before || !isWanted(entry, query)) continue;
      entries.push(entry);
      if (entries.length === limit) return { entries, next: nextOf(entry.sequence) };
    }
  }
  const lastRead = below[SEGMENTS_PER_PAGE_MAX - 1];
  return { entries, next: below.length > SEGMENTS_PER_PAGE_MAX ? lastRead?.first ?? null : null };
}

function linesOf({ path }: AuditSegment): string[] {
  try {
    return [...readSegment(path).lines];
  } catch (cause) {
    // The oldest may have gone meanwhile, to stay within the bound.
    if (cause instanceof Deno.errors.NotFound) return [];
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read audit log "${path}": ${why}`, { cause });
  }
}

function isWanted(entry: AuditEntry, { action, actor }: AuditQuery): boolean {
  if (action !== undefined && entry.action !== action && !entry.action.startsWith(`${action}.`)) {
    return false;
  }
  return actor === undefined || entry.actor.id === actor || entry.actor.name === actor;
}

function nextOf(sequence: number): number | null {
  return sequence > 1 ? sequence : null;
}
