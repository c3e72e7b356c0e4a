import { readIfThere, replaceFile } from "../config/durable_file.ts";
import { BATCH_HEADER, BATCH_HEADER_BYTES } from "../wire/batch.ts";
import type { Loss } from "../wire/batch.ts";
import { decodeBatchHead } from "../wire/decode.ts";
import { claims, positionLoss, uncovered } from "./ledger.ts";
import {
  addSpan,
  type Segment,
  segmentFirst,
  segmentLast,
  SegmentReader,
  type Span,
} from "./segment.ts";

/** What opening a journal found and did. */
export interface Recovery {
  /** Bytes cut from the end of the last segment: a batch that was not written whole. */
  readonly cutBytes: number;
  /** Bytes in or behind whole batches that belong to none. */
  readonly damagedBytes: number;
  /** Positions that no whole batch holds and no ledger accounts for; counted as journal_corrupt. */
  readonly lostRecords: number;
  /** Segments removed because they had been given up before the program ended. */
  readonly removedSegments: number;
}

/** A journal's folder as it was found. */
export interface Folder {
  readonly journalId: string;
  readonly acknowledged: number;
  /** In the order of their positions. */
  readonly segments: Segment[];
  /** First position that is free. */
  readonly next: number;
  /** For the ledger of the next batch. */
  readonly losses: readonly Loss[];
  readonly recovery: Recovery;
}

/**
 * Reads a journal's folder, leaves a torn end out and accounts for what is damaged.
 *
 * @param folder Its path; it exists and is locked.
 * @returns What is in it.
 */
export function recover(folder: string): Folder {
  const segments = listSegments(folder);
  const known = identity(folder, segments);
  const acknowledged = segments.length === 0 ? 0 : readAcknowledged(folder);
  const scans = segments.map((segment) => scan(segment, known));
  const claimed = scans.flatMap((each) => each.claimed);
  const kept = dropGivenUp(segments, { scans, acknowledged });
  const end = cutTail(segments.at(-1), known);
  const next = Math.max(acknowledged, lastPosition(segments), end.torn?.last ?? 0) + 1;
  const gaps = findGaps(segments, { acknowledged, next })
    .flatMap((gap) => uncovered(gap, claimed));
  const lost = gaps.reduce((sum, gap) => sum + gap.last - gap.first + 1, 0);
  return {
    journalId: known.journalId,
    acknowledged,
    segments: kept,
    next,
    losses: gaps.map((gap) => positionLoss("journal_corrupt", gap)),
    recovery: {
      cutBytes: end.cutBytes,
      damagedBytes: scans.reduce((sum, each) => sum + each.damagedBytes, 0) - end.cutBytes,
      lostRecords: lost,
      removedSegments: segments.length - kept.length,
    },
  };
}

/**
 * Path of the file with the journal's id.
 *
 * @param folder The journal's folder.
 * @returns The path.
 */
export function idPath(folder: string): string {
  return `${folder}/journal_id`;
}

/**
 * Path of the file with the acknowledged position.
 *
 * @param folder The journal's folder.
 * @returns The path.
 */
export function acknowledgedPath(folder: string): string {
  return `${folder}/acknowledged`;
}

function listSegments(folder: string): Segment[] {
  const segments: Segment[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    const first = entry.isFile ? segmentFirst(entry.name) : undefined;
    if (first === undefined) continue;
    const path = `${folder}/${entry.name}`;
    segments.push({ path, first, bytes: Deno.statSync(path).size, spans: [] });
  }
  return segments.sort((a, b) => a.first - b.first);
}

/** The id in the folder; else the one in a segment; a journal without segments starts anew. */
function identity(folder: string, segments: readonly Segment[]): { readonly journalId: string } {
  const kept = readIfThere(idPath(folder))?.trim() ?? "";
  if (segments.length > 0 && /^[0-9a-f]{32}$/.test(kept)) return { journalId: kept };
  const found = segments.map(idInside).find((id) => id !== undefined);
  const journalId = found ?? crypto.getRandomValues(new Uint8Array(16)).toHex();
  if (segments.length === 0) Deno.writeTextFileSync(acknowledgedPath(folder), "", { mode: 0o600 });
  replaceFile(idPath(folder), `${journalId}\n`);
  return { journalId };
}

function idInside(segment: Segment): string | undefined {
  using file = Deno.openSync(segment.path, { read: true });
  const header = new Uint8Array(BATCH_HEADER_BYTES);
  if (file.readSync(header) !== header.length) return undefined;
  try {
    decodeBatchHead(header);
    return header.subarray(BATCH_HEADER.journal_id, BATCH_HEADER.boot_id).toHex();
  } catch {
    return undefined;
  }
}

/**
 * The acknowledged position in a journal's folder.
 *
 * @param folder The journal's folder.
 * @returns The position; 0 when there is none, or none that can be read.
 */
export function readAcknowledged(folder: string): number {
  const text = readIfThere(acknowledgedPath(folder))?.trim() ?? "";
  const position = /^\d+$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(position) ? position : 0;
}

interface Scan {
  readonly claimed: Span[];
  readonly evicted: Span[];
  readonly damagedBytes: number;
}

function scan(segment: Segment, options: { readonly journalId: string }): Scan {
  using reader = new SegmentReader(segment, options);
  const claimed: Span[] = [];
  const evicted: Span[] = [];
  for (let batch = reader.next(segment.bytes); batch; batch = reader.next(segment.bytes)) {
    const { first, recordCount, losses } = batch.info;
    addSpan(segment.spans, { first, last: first + recordCount - 1 });
    for (const span of claims(losses)) addSpan(claimed, span);
    for (const span of claims(losses, "journal_evicted")) addSpan(evicted, span);
  }
  const damagedBytes = reader.damagedBytes + segment.bytes - reader.offset;
  return { claimed, evicted, damagedBytes };
}

/** Removes segments that a later ledger already gave up. */
function dropGivenUp(
  segments: readonly Segment[],
  { scans, acknowledged }: { readonly scans: readonly Scan[]; readonly acknowledged: number },
): Segment[] {
  const evicted = scans.flatMap((each) => each.evicted);
  return segments.filter((segment, i) => {
    if (i === segments.length - 1 || segment.spans.length === 0) return true;
    const held = segment.spans.flatMap((span) =>
      uncovered(span, [...evicted, { first: 0, last: acknowledged }])
    );
    if (held.length > 0) return true;
    Deno.removeSync(segment.path);
    return false;
  });
}

/** Leaves what follows the last whole batch out of the segment; its writer cuts the file there. */
function cutTail(
  segment: Segment | undefined,
  options: { readonly journalId: string },
): { readonly cutBytes: number; readonly torn?: Span } {
  if (segment === undefined) return { cutBytes: 0 };
  using reader = new SegmentReader(segment, options);
  while (reader.next(segment.bytes) !== undefined);
  const cutBytes = segment.bytes - reader.offset;
  if (cutBytes === 0) return { cutBytes };
  const head = reader.torn(segment.bytes);
  segment.bytes = reader.offset;
  if (head === undefined || head.first !== segmentLast(segment) + 1) return { cutBytes };
  return { cutBytes, torn: { first: head.first, last: head.first + head.recordCount - 1 } };
}

function lastPosition(segments: readonly Segment[]): number {
  return Math.max(0, ...segments.slice(-1).map(segmentLast));
}

function findGaps(
  segments: readonly Segment[],
  { acknowledged, next }: { readonly acknowledged: number; readonly next: number },
): Span[] {
  const gaps: Span[] = [];
  let expected = Math.max(acknowledged + 1, segments[0]?.first ?? 1);
  for (const { first, last } of segments.flatMap((segment) => segment.spans)) {
    if (first > expected) gaps.push({ first: expected, last: first - 1 });
    expected = Math.max(expected, last + 1);
  }
  if (next > expected) gaps.push({ first: expected, last: next - 1 });
  return gaps;
}
