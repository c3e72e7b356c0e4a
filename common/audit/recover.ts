import { type AuditHead, decodeEntry, hashLine } from "./entry.ts";
import { EMPTY_HEAD, HeadFile } from "./head.ts";
import { listSegments, readSegment } from "./segments.ts";

/** Where a log goes on. */
export interface Recovery {
  readonly head: AuditHead;
  /** The segment to go on in; absent: a new one. */
  readonly segment?: { readonly path: string; readonly bytes: number };
  /** Bytes of an entry that was being written when the program ended. */
  readonly tornBytes: number;
  /** Why the chain does not go on from its own end; a check names the place for ever. */
  readonly problem?: string;
}

/**
 * Finds out where a log goes on. A log that was cut or changed goes on behind the entry that its
 * head file knows, so that what is missing stays a gap.
 *
 * @param folder The log's folder.
 */
export function recover(folder: string): Recovery {
  const known = new HeadFile(folder).read();
  const last = listSegments(folder).at(-1);
  if (last === undefined) {
    if (known === undefined || known.sequence === 0) return { head: EMPTY_HEAD, tornBytes: 0 };
    return { head: known, tornBytes: 0, problem: "The log's files are gone" };
  }
  const { lines, bytes, tornBytes } = readSegment(last.path);
  const chain = chainOf(lines);
  const segment = { path: last.path, bytes };
  if (chain === undefined) {
    // A new segment whose first entry was not finished, or one without a line that can be read.
    const head = known ?? { ...EMPTY_HEAD, sequence: last.first };
    if (known?.sequence === last.first - 1 && lines.length === 0) {
      return { head, segment, tornBytes };
    }
    return {
      head: atLeast(head, last.first),
      tornBytes,
      problem: "The log's last lines are damaged",
    };
  }
  const end = chain.heads.at(-1) ?? EMPTY_HEAD;
  if (known === undefined) {
    return { head: end, segment, tornBytes, problem: 'The file "head" is missing or damaged' };
  }
  if (!chain.whole) {
    const head = atLeast(known, end.sequence + 1);
    return { head, tornBytes, problem: "The log's last lines are damaged" };
  }
  const passes = chain.heads.some(({ sequence, hash }) =>
    sequence === known.sequence && hash === known.hash
  );
  if (passes) return { head: end, segment, tornBytes };
  const problem = known.sequence > end.sequence
    ? `The log ends at entry ${end.sequence}, its head file knows ${known.sequence}`
    : `Entry ${known.sequence} is not the one that the head file knows`;
  return { head: atLeast(known, end.sequence), tornBytes, problem };
}

interface Chain {
  /** Before the first line, and after each line that could be read. */
  readonly heads: readonly AuditHead[];
  /** False when a line could not be read. */
  readonly whole: boolean;
}

function chainOf(lines: readonly string[]): Chain | undefined {
  const heads: AuditHead[] = [];
  for (const line of lines) {
    const entry = decodeEntry(line);
    if (entry === undefined) return heads.length === 0 ? undefined : { heads, whole: false };
    if (heads.length === 0) heads.push({ sequence: entry.sequence - 1, hash: entry.previous });
    heads.push({ sequence: entry.sequence, hash: hashLine(line) });
  }
  return heads.length === 0 ? undefined : { heads, whole: true };
}

/** No sequence is given twice, whatever the head file says. */
function atLeast(head: AuditHead, sequence: number): AuditHead {
  return head.sequence >= sequence ? head : { ...head, sequence };
}
