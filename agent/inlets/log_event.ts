import type { LOG_ORIGINS, LOG_WRITERS, LogKind, OUTCOMES } from "../../common/record/mod.ts";

/** Longest line that is read, in bytes; a longer one is dropped and counted. */
export const LINE_BYTES_MAX = 16 * 1024;

/** A line of a log: when, who wrote it, and what. */
export interface LogLine {
  readonly origin: keyof typeof LOG_ORIGINS;
  /** Unix time in milliseconds; `undefined` where the line does not tell. */
  readonly timeMs?: number | undefined;
  /** Program that the line names; empty where it names none. */
  readonly program: string;
  /** Its process; 0 = not told. */
  readonly pid: number;
  /** What it says, without time, host and program. */
  readonly message: string;
  /** Whose process wrote it (user id), where the log itself knows it. */
  readonly writerId?: number | undefined;
  /** What is known of the writer beside the line. Default: nothing. */
  readonly writer?: keyof typeof LOG_WRITERS;
  /** Login session, where the log has one. */
  readonly session?: string | undefined;
}

/** What a line of a log says, as far as its program's grammar is known. */
export interface Told {
  readonly kind: LogKind;
  readonly outcome?: keyof typeof OUTCOMES;
  readonly service?: string;
  readonly user?: string | undefined;
  /** True when the log itself says that the host has no such user. */
  readonly unknownUser?: boolean;
  readonly targetUser?: string | undefined;
  readonly method?: string | undefined;
  /** Address or name of the source. */
  readonly from?: string | undefined;
  readonly port?: number | undefined;
  readonly terminal?: string | undefined;
  readonly command?: string | undefined;
  readonly session?: string | undefined;
}

/** A line with what it says. */
export interface LogEvent extends LogLine {
  readonly told: Told;
  /** How often the line says that it was written. Default: once. */
  readonly times?: number;
  /** Fields beside those of records that rules may name: of auditd's records, of sudo's lines. */
  readonly fields: Readonly<Record<string, string>>;
}

/** A line that says again what another line of the same act says: it is left out. */
export const REPEATED = "repeated";
/** A line that a grammar knows, or that says it again, or `undefined` for any other. */
export type Reading = Told | typeof REPEATED | undefined;
