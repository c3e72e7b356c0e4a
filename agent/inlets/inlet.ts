import { AUTHENTICATION_CATEGORY } from "../../common/sigma/log_fields.ts";
import type { LogSource } from "../../common/sigma/log_source.ts";
import type { LossCause } from "../../common/wire/mod.ts";
import { AuditReader } from "./audit.ts";
import { BEHIND_BYTES_MAX, type FilePosition, LogFile } from "./follow.ts";
import { JournalFolder, type JournalPositions } from "./journal.ts";
import { type LogEvent, REPEATED } from "./log_event.ts";
import { readLine } from "./read_line.ts";
import { SSHD_PROGRAMS } from "./sshd.ts";
import { parseSyslogLine } from "./syslog_line.ts";

/** How often a log that stands still is looked at, in milliseconds. */
export const LOOK_INTERVAL_MS = 250;
/** How often it is looked whether a log that is not there has come, in milliseconds. */
export const MISSING_INTERVAL_MS = 2000;
/** So long one turn reads at most, in milliseconds: records of the kernel wait meanwhile. */
export const TURN_MS = 5;
/** So many events a line that says that it was written again and again becomes at most. */
export const TIMES_MAX = 16;
/** So many more events than lines one turn has of such lines at most. */
export const REPEATS_PER_TURN_MAX = 256;
/** Files that are followed, at most. */
export const FILES_MAX = 16;

/** How far each log was read. */
export interface LogPositions {
  readonly files: Readonly<Record<string, FilePosition>>;
  /** By the folder. */
  readonly journals: Readonly<Record<string, JournalPositions>>;
  /** By the folder: files of it that were not read to an end. Default: not known. */
  readonly active?: Readonly<Record<string, readonly string[]>>;
}

/** What an inlet did since it was made. */
export interface LogCounts {
  /** Lines that were read whole. */
  lines: number;
  /** Lines of no known form. */
  unreadable: number;
  /** Lines that say again what others say, or that were written too many times. */
  repeated: number;
  /** Lines that are no record: none of the kinds, and no rule in force is about their log. */
  passed: number;
  login: number;
  auth_failure: number;
  privilege: number;
  log_line: number;
}

/** How one log is read. */
export interface LogState {
  readonly path: string;
  /** False while there is no such file. */
  readonly open: boolean;
  readonly gaps: number;
  readonly skippedBytes: number;
  /** Lines that are too long, or that the journal has in a form that is not read. */
  readonly tooLong: number;
}

/** How an inlet is made. */
export interface LogInletOptions {
  /** Files to follow; those named `audit.log` are auditd's. */
  readonly files: readonly string[];
  /** Folders of journald. Default: none. */
  readonly journals?: readonly string[];
  /** Text logs that are not read where journald keeps one: it has their lines too. Default: none. */
  readonly unlessJournal?: readonly string[];
  /** How far the last run came. Default: it begins at the ends. */
  readonly positions?: LogPositions | undefined;
  /** Unix time in milliseconds. */
  readonly nowMs: () => number;
  /** A clock that never jumps, in milliseconds. Default: that of this process. */
  readonly clockMs?: () => number;
}

interface Followed {
  readonly log: LogFile;
  readonly audit: AuditReader | undefined;
  /** When it was found not to be there. */
  missedAt: number;
}

/** Reads a little of one log; `undefined` when nothing came. */
type Source = (nowMs: number) => readonly LogEvent[] | undefined;

/** Reads the logs of a host: lines in, what they say out. */
export class LogInlet implements Disposable {
  readonly counts: LogCounts = {
    lines: 0,
    unreadable: 0,
    repeated: 0,
    passed: 0,
    login: 0,
    auth_failure: 0,
    privilege: 0,
    log_line: 0,
  };
  readonly #options: LogInletOptions;
  readonly #clockMs: () => number;
  readonly #files: readonly Followed[];
  readonly #journals: readonly JournalFolder[];
  readonly #sources: readonly Source[];
  readonly #told = new Map<string, number>();
  #lookedAt = -Infinity;
  #repeatsLeft = REPEATS_PER_TURN_MAX;
  /** The log that a turn begins with: none can keep the others from being read. */
  #next = 0;

  /** @param options What is read, and from where on. */
  constructor(options: LogInletOptions) {
    this.#options = options;
    this.#clockMs = options.clockMs ?? (() => performance.now());
    const { positions, journals = [] } = options;
    this.#journals = journals.slice(0, FILES_MAX).map((path) =>
      new JournalFolder(path, {
        positions: positions === undefined ? undefined : positions.journals[path] ?? {},
        active: positions?.active?.[path],
        nowMs: this.#clockMs(),
      })
    );
    const left = this.#journals.some(({ isOpen }) => isOpen) ? options.unlessJournal ?? [] : [];
    this.#files = options.files.filter((path) => !left.includes(path)).slice(0, FILES_MAX).map((
      path,
    ) => ({
      log: new LogFile(path, options.positions?.files[path]),
      audit: path.endsWith("audit.log") ? new AuditReader() : undefined,
      missedAt: -Infinity,
    }));
    this.#sources = [
      ...this.#files.map((followed): Source => (nowMs) => this.#fromFile(followed, nowMs)),
      ...this.#journals.map((journal): Source => (nowMs) => this.#fromJournal(journal, nowMs)),
    ];
  }

  /** How far each log was read. */
  get positions(): LogPositions {
    return {
      files: Object.fromEntries(this.#files.flatMap(({ log }) => {
        const { position } = log;
        return position === undefined ? [] : [[log.path, position]];
      })),
      journals: Object.fromEntries(this.#journals.map(({ path, positions }) => [path, positions])),
      active: Object.fromEntries(this.#journals.map(({ path, active }) => [path, active])),
    };
  }

  /** How each log is read. */
  get states(): readonly LogState[] {
    return [
      ...this.#files.map(({ log }) => ({
        path: log.path,
        open: log.isOpen,
        ...log.losses,
        tooLong: log.tooLong,
      })),
      ...this.#journals.map(({ path, isOpen, damaged, unread }) => ({
        path,
        open: isOpen,
        gaps: damaged,
        skippedBytes: 0,
        tooLong: unread,
      })),
    ];
  }

  /**
   * Reads what came, for {@linkcode TURN_MS} at most. What is left is there the next time.
   *
   * @returns Events in the order of their logs; empty when nothing came, or it is not time to look.
   */
  poll(): LogEvent[] {
    const startedAt = this.#clockMs();
    if (startedAt - this.#lookedAt < LOOK_INTERVAL_MS) return [];
    const events: LogEvent[] = [];
    this.#repeatsLeft = REPEATS_PER_TURN_MAX;
    const sources = this.#sources;
    for (const source of [...sources.slice(this.#next), ...sources.slice(0, this.#next)]) {
      this.#next = (this.#next + 1) % sources.length;
      for (let read = source(startedAt); read !== undefined; read = source(startedAt)) {
        events.push(...read);
        // There may be more: the next turn goes on at once, with the next log.
        if (this.#clockMs() - startedAt >= TURN_MS) return events;
      }
    }
    this.#lookedAt = startedAt;
    return events;
  }

  /** What was not read since the last call, by cause; counts of the first two are least ones. */
  takeLosses(): readonly { readonly cause: LossCause; readonly count: number }[] {
    const { states } = this;
    const sum = (of: (state: LogState) => number): number =>
      states.reduce((total, state) => total + of(state), 0);
    const totals: readonly (readonly [LossCause, number])[] = [
      ["log_gap", sum(({ gaps }) => gaps)],
      ["log_skipped", Math.ceil(sum(({ skippedBytes }) => skippedBytes) / BEHIND_BYTES_MAX)],
      ["log_too_long", sum(({ tooLong }) => tooLong)],
    ];
    return totals.flatMap(([cause, total]) => {
      const count = total - (this.#told.get(cause) ?? 0);
      this.#told.set(cause, total);
      return count > 0 ? [{ cause, count }] : [];
    });
  }

  /** Lets go of the files. */
  [Symbol.dispose](): void {
    for (const { log } of this.#files) log[Symbol.dispose]();
    for (const journal of this.#journals) journal[Symbol.dispose]();
  }

  #fromFile(followed: Followed, nowMs: number): readonly LogEvent[] | undefined {
    const { log, audit, missedAt } = followed;
    if (!log.isOpen && nowMs - missedAt < MISSING_INTERVAL_MS) return undefined;
    const lines = log.poll();
    if (!log.isOpen) followed.missedAt = nowMs;
    return lines?.flatMap((line) =>
      this.#counted(
        audit === undefined ? syslogEvent(line, this.#options.nowMs()) : audit.read(line),
      )
    );
  }

  #fromJournal(journal: JournalFolder, nowMs: number): readonly LogEvent[] | undefined {
    const line = journal.read(nowMs);
    return line === undefined ? undefined : this.#counted(readLine(line));
  }

  #counted(event: LogEvent | typeof REPEATED | undefined): readonly LogEvent[] {
    this.counts.lines++;
    if (typeof event === "object") {
      const { times = 1 } = event;
      const told = Math.min(times, TIMES_MAX, 1 + this.#repeatsLeft);
      this.#repeatsLeft -= told - 1;
      this.counts.repeated += times - told;
      return Array<LogEvent>(told).fill(event);
    }
    if (event === REPEATED) this.counts.repeated++;
    else this.counts.unreadable++;
    return [];
  }
}

function syslogEvent(line: string, nowMs: number): LogEvent | typeof REPEATED | undefined {
  const read = parseSyslogLine(line, nowMs);
  return read === undefined ? undefined : readLine(read);
}

/** Names of rules' services, where they are not those of the programs. */
const SERVICES: ReadonlyMap<string, string> = new Map([
  ...[...SSHD_PROGRAMS].map((name): [string, string] => [name, "sshd"]),
  ["CRON", "cron"],
  ["crond", "cron"],
  ["crontab", "cron"],
]);

/**
 * The log sources of rules that a line belongs to.
 *
 * @param event The line.
 * @returns Its program's service and its log; for what is a login, or acting as another user, the
 * category too.
 */
export function logSourcesOf({ origin, program, told }: LogEvent): readonly LogSource[] {
  const product = "linux";
  const own = program === "" ? [] : [{ product, service: serviceOf(program) }];
  return [
    ...(origin === "audit" ? [{ product, service: "auditd" }] : [
      ...own,
      { product, service: "auth" },
      { product, service: "syslog" },
    ]),
    ...(told.kind === "log_line" ? [] : [{ product, category: AUTHENTICATION_CATEGORY }]),
  ];
}

function serviceOf(program: string): string {
  return SERVICES.get(program) ?? program.toLowerCase();
}
