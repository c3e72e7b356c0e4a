import { setImmediate } from "node:timers";
import { type Clock, SYSTEM_CLOCK } from "../config/clock.ts";
import { ImmuneError } from "../config/errors.ts";
import { FileLock } from "../config/lock.ts";
import { type AuditEntry, type AuditFact, type AuditHead, encodeEntry, hashLine } from "./entry.ts";
import { HeadFile } from "./head.ts";
import { type AuditPage, type AuditQuery, readEntries } from "./read.ts";
import { recover } from "./recover.ts";
import { listSegments } from "./segments.ts";
import { type AuditReport, PRUNED, verifyAudit } from "./verify.ts";
import { SegmentWriter } from "./writer.ts";

/** A segment of this many bytes is full. */
export const SEGMENT_BYTES_MAX = 1024 * 1024;
/** Most segments of a log; over it the oldest goes, and an entry says so. */
export const SEGMENTS_MAX = 256;
/** Most entries that wait for the disk; more are refused. */
export const ENTRIES_WAITING_MAX = 4096;
/** Most entries of one write. */
export const ENTRIES_PER_WRITE_MAX = 256;

/** Whatever takes decisions writes them here before it acts. */
export interface AuditTrail {
  /**
   * Records a decision.
   *
   * @param fact What was decided, by whom.
   * @returns The entry, on the disk.
   * @throws {ImmuneError} `AUDIT_UNWRITABLE`: then the decision is not to take effect.
   */
  append(fact: AuditFact): Promise<AuditEntry>;
}

/** Options of `AuditLog.open`. */
export interface AuditLogOptions {
  /** Default: the host's clock. */
  readonly clock?: Clock;
  /** Default: {@linkcode SEGMENT_BYTES_MAX}. */
  readonly segmentBytesMax?: number;
  /** At least 2. Default: {@linkcode SEGMENTS_MAX}. */
  readonly segmentsMax?: number;
}

interface Waiting {
  readonly fact: AuditFact;
  readonly resolve: (entry: AuditEntry) => void;
  readonly reject: (error: ImmuneError) => void;
}

const HIVE = { kind: "hive", id: "audit" } as const;

/** A hash-chained log of decisions in a folder of its own. */
export class AuditLog implements AuditTrail, Disposable {
  readonly folder: string;
  readonly #lock: FileLock;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #segmentsMax: number;
  readonly #headFile: HeadFile;
  #writer: SegmentWriter | undefined;
  #head: AuditHead;
  #waiting: Waiting[] = [];
  #open = true;
  /** Entries that could not be written, and those that found no room to wait. */
  refused = 0;

  private constructor(folder: string, options: AuditLogOptions) {
    this.folder = folder;
    this.#lock = FileLock.acquire(`${folder}/lock`);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#bytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    this.#segmentsMax = options.segmentsMax ?? SEGMENTS_MAX;
    this.#headFile = new HeadFile(folder);
    const { head, segment, tornBytes, problem } = recover(folder);
    this.#head = head;
    // Before the first entry: from then on a log without this file is one that was touched.
    if (head.sequence === 0) this.#headFile.write(head);
    if (segment !== undefined) this.#writer = new SegmentWriter(segment.path, segment.bytes);
    if (problem === undefined && tornBytes === 0) return;
    this.#write([{
      actor: HIVE,
      action: "audit.resume",
      decision: problem === undefined ? "done" : "failed",
      detail: { problem: problem ?? null, tornBytes },
    }]);
  }

  /**
   * Opens a log, or makes it (mode 0700). An entry that was half-written is cut off; what else is
   * wrong with its end is recorded as an entry, and a check names the place.
   *
   * @param folder Its folder; the folder above is there.
   * @param options Clock and bounds.
   * @throws {ImmuneError} `STATE_LOCKED` when another process has it open, `STATE_UNUSABLE`,
   * `AUDIT_UNWRITABLE`.
   */
  static open(folder: string, options: AuditLogOptions = {}): AuditLog {
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      return new AuditLog(folder, options);
    } catch (cause) {
      throw unwritable(folder, cause);
    }
  }

  /** Where the chain stands: note it elsewhere, and a later check shows whether it was cut. */
  get head(): AuditHead {
    return this.#head;
  }

  append(fact: AuditFact): Promise<AuditEntry> {
    const { promise, resolve, reject } = Promise.withResolvers<AuditEntry>();
    if (!this.#open || this.#waiting.length >= ENTRIES_WAITING_MAX) {
      this.refused++;
      const why = this.#open ? `${ENTRIES_WAITING_MAX} entries wait already` : "it is closed";
      reject(new ImmuneError("AUDIT_UNWRITABLE", `Cannot record "${fact.action}": ${why}`));
      return promise;
    }
    // Those of one turn share a write and a sync.
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push({ fact, resolve, reject });
    return promise;
  }

  /**
   * Entries, newest first.
   *
   * @param query Which ones.
   * @throws {ImmuneError} `FILE_UNREADABLE`.
   */
  read(query: AuditQuery): AuditPage {
    return readEntries(this.folder, query);
  }

  /** Checks the whole log on the disk. */
  verify(): AuditReport {
    return verifyAudit(this.folder, { noted: this.#head });
  }

  /** Writes what waits and closes it. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#flush();
    this.#open = false;
    this.#writer?.[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    while (waiting.length > 0) this.#flushSome(waiting.splice(0, ENTRIES_PER_WRITE_MAX));
  }

  #flushSome(waiting: readonly Waiting[]): void {
    try {
      const entries = this.#write(waiting.map(({ fact }) => fact));
      waiting.forEach(({ resolve }, i) => resolve(entries[i] as AuditEntry));
    } catch (cause) {
      this.refused += waiting.length;
      for (const { reject } of waiting) reject(unwritable(this.folder, cause));
    }
  }

  #write(facts: readonly AuditFact[]): AuditEntry[] {
    const writer = this.#roomy();
    const time = new Date(this.#clock.nowMs()).toISOString();
    const lines: string[] = [];
    let head = this.#head;
    const entries = facts.map((fact) => {
      const entry = { ...fact, sequence: head.sequence + 1, time, previous: head.hash };
      const line = encodeEntry(entry);
      lines.push(line);
      head = { sequence: entry.sequence, hash: hashLine(line) };
      return entry;
    });
    writer.write(lines);
    this.#head = head;
    this.#headFile.write(head);
    return entries;
  }

  /** A segment with room for more; over the bound of segments the oldest goes. */
  #roomy(): SegmentWriter {
    if (this.#writer !== undefined && this.#writer.bytes < this.#bytesMax) return this.#writer;
    this.#writer?.[Symbol.dispose]();
    this.#writer = undefined;
    this.#writer = SegmentWriter.create(this.folder, this.#head.sequence + 1);
    const segments = listSegments(this.folder);
    const kept = segments[segments.length - this.#segmentsMax];
    if (kept !== undefined && kept !== segments[0]) this.#prune(segments, kept.first);
    return this.#writer;
  }

  #prune(segments: ReturnType<typeof listSegments>, first: number): void {
    const gone = segments.filter((segment) => segment.first < first);
    const { entries } = readEntries(this.folder, { limit: 1, before: first + 1 });
    const hash = entries[0]?.previous ?? "";
    const [oldest] = gone;
    this.#write([{
      actor: HIVE,
      action: PRUNED,
      decision: "done",
      detail: { from: oldest?.first ?? 0, through: first - 1, hash },
    }]);
    for (const { path } of gone) Deno.removeSync(path);
  }
}

function unwritable(folder: string, cause: unknown): ImmuneError {
  if (cause instanceof ImmuneError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const message =
    `Cannot write audit log "${folder}": ${why}; nothing that it has to record is done`;
  return new ImmuneError("AUDIT_UNWRITABLE", message, { cause });
}
