import { type AuditEntry, type AuditHead, decodeEntry, hashLine, NO_HASH } from "./entry.ts";
import { EMPTY_HEAD, HeadFile } from "./head.ts";
import { type AuditSegment, listSegments, readSegment } from "./segments.ts";

/** Action of the entry that says which entries were removed to stay within the bound. */
export const PRUNED = "audit.prune";

/** The first place where a chain is broken. */
export interface AuditBreak {
  /** Path of the segment; of the log's folder when no segment is at fault. */
  readonly path: string;
  /** Line in the segment, from 1; 0 = none in particular. */
  readonly line: number;
  /** Sequence that stands, or should stand, there. */
  readonly sequence: number;
  /** In a sentence. */
  readonly why: string;
}

/** What a check of a log came to. */
export interface AuditReport {
  /** Entries that hang together, up to the break. */
  readonly entries: number;
  /** Sequence of the oldest; 0 = there is none. */
  readonly first: number;
  /** Where the chain stands at its end, or before its break. */
  readonly head: AuditHead;
  /** Absent: the chain is whole. */
  readonly broken?: AuditBreak;
}

/** Options of {@linkcode verifyAudit}. */
export interface VerifyOptions {
  /** A head that was noted elsewhere: the chain has to pass through it. */
  readonly noted?: AuditHead;
}

/**
 * Checks a log on the disk, line by line. Needs no running hive, and changes nothing.
 *
 * What it shows: no entry was changed, removed, added between others or put elsewhere, and, by the
 * head file or a noted head, none was cut off the end. Who can write the folder can write all of it
 * anew; only a head that was noted elsewhere tells that.
 *
 * @param folder The log's folder.
 * @param options A noted head.
 * @returns How much of it holds, and the first place where it does not.
 */
export function verifyAudit(folder: string, options: VerifyOptions = {}): AuditReport {
  const walk = new Walk(folder, options.noted);
  const segments = listSegments(folder);
  for (const segment of segments) {
    if (!walk.segment(segment)) break;
  }
  return walk.end();
}

class Walk {
  readonly #folder: string;
  readonly #noted: AuditHead | undefined;
  #entries = 0;
  #first = 0;
  #head: AuditHead = EMPTY_HEAD;
  /** Hash that the oldest entry names, where it is not the first of all. */
  #start: AuditHead = EMPTY_HEAD;
  #explained = true;
  #passedNoted = false;
  #broken: AuditBreak | undefined;
  readonly #file: AuditHead | undefined;
  #passedFile = false;

  constructor(folder: string, noted: AuditHead | undefined) {
    this.#folder = folder;
    this.#noted = noted;
    this.#file = new HeadFile(folder).read();
    this.#meet(EMPTY_HEAD);
  }

  /** Walks a segment; false at a break. */
  segment(segment: AuditSegment): boolean {
    const { lines } = readSegment(segment.path);
    for (const [i, line] of lines.entries()) {
      const why = this.#line(line, segment.first + i);
      if (why === undefined) continue;
      this.#broken = { path: segment.path, line: i + 1, sequence: this.#head.sequence + 1, why };
      return false;
    }
    return true;
  }

  end(): AuditReport {
    this.#broken ??= this.#breakAtEnd();
    const { sequence, hash } = this.#head;
    return {
      entries: this.#entries,
      first: this.#first,
      head: { sequence, hash },
      ...(this.#broken === undefined ? {} : { broken: this.#broken }),
    };
  }

  #line(line: string, named: number): string | undefined {
    const entry = decodeEntry(line);
    if (entry === undefined) return "The line is no entry";
    if (this.#entries === 0) this.#begin(entry);
    const expected = this.#head.sequence + 1;
    if (entry.sequence > expected) {
      const last = entry.sequence - 1;
      const which = last === expected ? `Entry ${last} is` : `Entries ${expected} to ${last} are`;
      return `${which} missing before entry ${entry.sequence}`;
    }
    if (entry.sequence < expected) return `Entry ${entry.sequence} stands again or elsewhere`;
    if (entry.sequence !== named) return `The name of the file does not fit entry ${expected}`;
    if (entry.previous !== this.#head.hash) {
      return `Entry ${expected - 1} was changed, or entry ${expected} put behind it`;
    }
    this.#entries++;
    this.#head = { sequence: entry.sequence, hash: hashLine(line) };
    this.#meet(this.#head);
    if (isPruneOf(entry, this.#start)) this.#explained = true;
    return undefined;
  }

  /** The oldest entry: the first of all, or the first that was not removed. */
  #begin(entry: AuditEntry): void {
    this.#first = entry.sequence;
    this.#start = { sequence: entry.sequence - 1, hash: entry.previous };
    this.#explained = entry.sequence === 1 && entry.previous === NO_HASH;
    this.#head = this.#start;
    this.#meet(this.#head);
  }

  #meet(head: AuditHead): void {
    if (isSame(head, this.#noted)) this.#passedNoted = true;
    if (isSame(head, this.#file)) this.#passedFile = true;
  }

  #breakAtEnd(): AuditBreak | undefined {
    const at = (sequence: number, why: string): AuditBreak => ({
      path: this.#folder,
      line: 0,
      sequence,
      why,
    });
    if (!this.#explained) {
      return at(this.#first, "No entry says that those before the oldest were removed");
    }
    const { sequence } = this.#head;
    if (this.#file === undefined && sequence > 0) {
      return at(sequence, 'The file "head" is missing or damaged');
    }
    if (this.#file !== undefined && !this.#passedFile) {
      return at(this.#file.sequence, lost(this.#file, { sequence, by: 'the file "head"' }));
    }
    // A noted head from before the oldest entry can no longer be met.
    if (this.#noted === undefined || this.#passedNoted) return undefined;
    if (this.#noted.sequence < this.#first - 1) return undefined;
    return at(this.#noted.sequence, lost(this.#noted, { sequence, by: "the noted head" }));
  }
}

function lost(
  { sequence: wanted }: AuditHead,
  { sequence, by }: { readonly sequence: number; readonly by: string },
): string {
  return wanted > sequence
    ? `The log ends at entry ${sequence}, ${by} knows ${wanted}`
    : `Entry ${wanted} is not the one that ${by} knows`;
}

function isPruneOf({ action, detail }: AuditEntry, start: AuditHead): boolean {
  return action === PRUNED && detail?.["through"] === start.sequence &&
    detail?.["hash"] === start.hash;
}

function isSame(head: AuditHead, other: AuditHead | undefined): boolean {
  return head.sequence === other?.sequence && head.hash === other.hash;
}
