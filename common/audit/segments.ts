/** A file of a log. */
export interface AuditSegment {
  readonly path: string;
  /** Sequence of its first entry. */
  readonly first: number;
}

/** Digits of the sequence in a name: names sort as their numbers do. */
const DIGITS = 16;
const NAME = /^audit-(\d{16})\.ndjson$/;

/**
 * Path of a segment.
 *
 * @param folder The log's folder.
 * @param first Sequence of its first entry.
 */
export function segmentPath(folder: string, first: number): string {
  return `${folder}/audit-${String(first).padStart(DIGITS, "0")}.ndjson`;
}

/**
 * The files of a log.
 *
 * @param folder The log's folder.
 * @returns Oldest first; none when there is no such folder.
 */
export function listSegments(folder: string): AuditSegment[] {
  let names: string[];
  try {
    names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return names.sort().flatMap((name) => {
    const first = NAME.exec(name)?.[1];
    return first === undefined ? [] : [{ path: `${folder}/${name}`, first: Number(first) }];
  });
}

/** Text of a segment as its whole lines, and what stands behind the last line's end. */
export interface SegmentText {
  /** Without their ends. */
  readonly lines: readonly string[];
  /** Bytes of the whole lines. */
  readonly bytes: number;
  /** Bytes behind them: an entry that was not finished. */
  readonly tornBytes: number;
}

/** Byte of a line's end. */
const LINE_END = 0x0a;

/**
 * Reads a segment.
 *
 * @param path Its path.
 */
export function readSegment(path: string): SegmentText {
  const all = Deno.readFileSync(path);
  const bytes = all.lastIndexOf(LINE_END) + 1;
  const text = new TextDecoder().decode(all.subarray(0, bytes));
  return { lines: text.split("\n").slice(0, -1), bytes, tornBytes: all.length - bytes };
}
