import { JournalFile } from "./journal_file.ts";
import type { LogLine } from "./log_event.ts";
import { SSHD_PROGRAMS } from "./sshd.ts";
import { pidOf } from "./syslog_line.ts";

/** How often it is looked whether journald made another file, in milliseconds. */
export const FOLDER_INTERVAL_MS = 2000;
/** Files of one journal that are looked at, at most. */
const JOURNAL_FILES_MAX = 64;
/** The system's own files; those of users have what users write. */
const SYSTEM_FILE = /^system(?:@[0-9a-f-]{1,100})?\.journal~?$/;
/** What journald found not closed: its name has when that was, then a random part. */
const SET_ASIDE = /@([0-9a-f]{1,16})-[0-9a-f]{1,16}\.journal~$/;
/** What journald closed: its name ends in the time of its first entry. */
const ARCHIVED = /-([0-9a-f]{1,16})\.journal$/;
const WANTED: ReadonlySet<string> = new Set([
  "MESSAGE",
  "SYSLOG_IDENTIFIER",
  "_COMM",
  "_EXE",
  "_PID",
  "_UID",
  "_AUDIT_SESSION",
]);
/** Where programs of the system lie: nobody but root writes there. */
const SYSTEM_FOLDER = /^\/(?:usr|bin|sbin|lib|opt|nix|run\/current-system)\//;
/** Programs whose lines count, and the files that may write them. */
const WRITERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...[...SSHD_PROGRAMS].map((name): [string, ReadonlySet<string>] => [name, SSHD_PROGRAMS]),
  ...["sudo", "su", "login", "pkexec", "doas"].map((name): [string, ReadonlySet<string>] => [
    name,
    new Set([name, `${name}-rs`, `open${name}`]),
  ]),
]);

/** Positions of files that are gone, or cannot be read just now, are kept up to this many in all. */
const POSITIONS_MAX = 4 * JOURNAL_FILES_MAX;

/** How many entries of each file were read, by its id. */
export type JournalPositions = Readonly<Record<string, number>>;

/** Reads journald's files in a folder as they grow, also when journald goes on to another file. */
export class JournalFolder implements Disposable {
  readonly path: string;
  /**
   * Places where something did not hold: what lies behind one in its file is not read. And files
   * that went before they were read to their ends.
   */
  damaged = 0;
  /** Entries whose message is too long, or in a form that is not read. */
  unread = 0;
  readonly #open = new Map<string, JournalFile>();
  /** How many entries were read of files that are not open; of those in the folder alone. */
  readonly #done = new Map<string, number>();
  /** Where files were found damaged: they are looked at again, and told of once. */
  readonly #damages = new Map<string, number>();
  /** Files that were not read to an end behind which nothing more comes. */
  readonly #active: Set<string>;
  /** Open files that were not in the folder at the last look. */
  #missing: ReadonlySet<string> = new Set();
  #lookedAt = -Infinity;

  /**
   * Begins where the last run stopped; without positions, at the ends of all files.
   *
   * @param path Folder that has a folder for each machine.
   * @param options Positions of the last run, and which of them were active; time in milliseconds
   * by a clock that never jumps.
   */
  constructor(
    path: string,
    options: {
      readonly positions?: JournalPositions | undefined;
      readonly active?: readonly string[] | undefined;
      readonly nowMs: number;
    },
  ) {
    const { positions, active = [], nowMs } = options;
    this.path = path;
    this.#active = new Set(active);
    for (const [id, count] of Object.entries(positions ?? {})) this.#done.set(id, count);
    this.#look(nowMs);
    if (positions !== undefined) return;
    for (const file of this.#open.values()) file.seek(file.entries);
  }

  /** True while there is a file of journald. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** How far each file was read. */
  get positions(): JournalPositions {
    const open = [...this.#open].map(([id, { position }]): [string, number] => [id, position]);
    return Object.fromEntries([...this.#done, ...open]);
  }

  /** Ids of the files that were not read to an end behind which nothing more comes. */
  get active(): readonly string[] {
    return [...this.#active];
  }

  /**
   * Reads the next line.
   *
   * @param nowMs Time by a clock that never jumps, in milliseconds.
   * @returns `undefined` when nothing came.
   */
  read(nowMs: number): LogLine | undefined {
    if (nowMs - this.#lookedAt >= FOLDER_INTERVAL_MS) this.#look(nowMs);
    for (const [id, file] of this.#open) {
      for (let entry = file.read(); entry !== undefined; entry = file.read()) {
        const line = lineOf(entry.fields, entry.timeMs);
        if (line !== undefined) return line;
        if (entry.isPartial) this.unread++;
      }
      if (!file.isDamaged && !file.isArchived) continue;
      if (file.isDamaged && this.#damages.get(id) !== file.position) {
        this.damaged++;
        this.#damages.set(id, file.position);
      }
      this.#close(id, file);
    }
    return undefined;
  }

  /** Lets go of the files. */
  [Symbol.dispose](): void {
    for (const file of this.#open.values()) file[Symbol.dispose]();
  }

  #look(nowMs: number): void {
    this.#lookedAt = nowMs;
    const seen = new Set<string>();
    const paths = filesIn(this.path);
    if (paths === undefined) return;
    let unreadable = 0;
    for (const path of paths) {
      const isSetAside = path.endsWith("~");
      const file = JournalFile.open(path, WANTED);
      if (file === undefined) {
        // What journald itself cannot read is set aside too, and stays so.
        if (!isSetAside) unreadable++;
        continue;
      }
      seen.add(file.id);
      this.#take(file, isSetAside);
    }
    this.#closeMissing(seen);
    // Of files that cannot be read just now nothing is forgotten, up to a bound.
    const kept = Math.max(this.#done.size, this.#active.size);
    if (unreadable === 0 || kept >= POSITIONS_MAX) this.#forget(seen);
  }

  /** Opens a file to read on in it, where there is anything to read and room for it. */
  #take(file: JournalFile, isSetAside: boolean): void {
    const { id } = file;
    const open = this.#open.get(id);
    if (isSetAside) (open ?? file).setAside();
    const before = this.#done.get(id);
    const isRead = before !== undefined && file.isArchived && before >= file.entries;
    if (open === undefined && !isRead) this.#active.add(id);
    if (open !== undefined || isRead || this.#open.size >= JOURNAL_FILES_MAX) {
      file[Symbol.dispose]();
      return;
    }
    if (before !== undefined) file.seek(before);
    this.#done.delete(id);
    this.#open.set(id, file);
  }

  /** Nobody writes to what is gone. One that is just being renamed may be missing once. */
  #closeMissing(seen: ReadonlySet<string>): void {
    const missing = [...this.#open].filter(([id]) => !seen.has(id));
    for (const [id, file] of missing) {
      if (this.#missing.has(id) && file.position >= file.entries) this.#close(id, file);
    }
    this.#missing = new Set(missing.map(([id]) => id));
  }

  #close(id: string, file: JournalFile): void {
    this.#done.set(id, file.position);
    this.#active.delete(id);
    this.#open.delete(id);
    file[Symbol.dispose]();
  }

  #forget(seen: ReadonlySet<string>): void {
    for (const known of [this.#done, this.#damages]) {
      for (const id of known.keys()) if (!seen.has(id)) known.delete(id);
    }
    for (const id of this.#active) {
      if (seen.has(id) || this.#open.has(id)) continue;
      this.#active.delete(id);
      this.damaged++;
    }
  }
}

/**
 * The files of a folder, the oldest first; of too many the newest, with those written to now.
 * `undefined`: it cannot be read just now.
 */
function filesIn(folder: string): string[] | undefined {
  try {
    return [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory)
      .flatMap(({ name }) =>
        [...Deno.readDirSync(`${folder}/${name}`)]
          .filter((entry) => entry.isFile && SYSTEM_FILE.test(entry.name))
          .map((entry) => ({ path: `${folder}/${name}/${entry.name}`, age: ageOf(entry.name) }))
      ).sort((a, b) => a.age < b.age ? -1 : a.age > b.age ? 1 : 0).slice(-JOURNAL_FILES_MAX)
      .map(({ path }) => path);
  } catch {
    return undefined;
  }
}

/** By what files are in their order: a time in microseconds; what is written to now comes last. */
function ageOf(name: string): string {
  return (SET_ASIDE.exec(name) ?? ARCHIVED.exec(name))?.[1]?.padStart(16, "0") ?? "g";
}

/** journald itself says which process wrote an entry: the names with a line in front are its own. */
function lineOf(fields: ReadonlyMap<string, string>, timeMs: number): LogLine | undefined {
  const message = fields.get("MESSAGE");
  if (message === undefined) return undefined;
  const program = fields.get("SYSLOG_IDENTIFIER") ?? fields.get("_COMM") ?? "";
  return {
    origin: "journal",
    timeMs,
    program,
    pid: pidOf(fields.get("_PID") ?? "0"),
    message,
    writerId: userOf(fields.get("_UID")),
    writer: writerOf(program, fields),
    session: fields.get("_AUDIT_SESSION"),
  };
}

function userOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/**
 * Only root's word proves anything: in a user namespace of their own anybody has any file at any
 * path, and runs it with all rights there. That su and sudo began as somebody else they may be told
 * by, but not be known by.
 */
function writerOf(
  program: string,
  fields: ReadonlyMap<string, string>,
): "unknown" | "proven" | "other" {
  const expected = WRITERS.get(program);
  const image = fields.get("_EXE");
  if (expected === undefined || image === undefined) return "unknown";
  const name = image.slice(image.lastIndexOf("/") + 1);
  if (!expected.has(name) || !SYSTEM_FOLDER.test(image)) return "other";
  return fields.get("_UID") === "0" ? "proven" : "unknown";
}
