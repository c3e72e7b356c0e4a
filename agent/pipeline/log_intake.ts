import type { RecordView } from "../../common/record/mod.ts";
import type { Engine, ProcessRow } from "../../wasm/engine/mod.ts";
import { logSourcesOf } from "../inlets/inlet.ts";
import type { LogEvent } from "../inlets/log_event.ts";
import { SSHD_PROGRAMS } from "../inlets/sshd.ts";
import { logRecord } from "../inlets/to_record.ts";
import type { MadeRecord } from "./made.ts";

/** A line may be so much older than its process by a clock of whole seconds, in nanoseconds. */
const CLOCK_STEP_NS = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
const DECODER = new TextDecoder();
/** Files that a program's lines may come from, where they are not of its own name. */
const IMAGES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...[...SSHD_PROGRAMS].map((name): [string, ReadonlySet<string>] => [name, SSHD_PROGRAMS]),
  ["sudo", new Set(["sudo", "sudo-rs"])],
  ["su", new Set(["su"])],
  ["login", new Set(["login"])],
  ["pkexec", new Set(["pkexec"])],
  ["doas", new Set(["doas", "opendoas"])],
]);

/** What lines of logs are made into records with. */
export interface LogIntakeOptions {
  /** Number of the record. */
  readonly sequence: number;
  readonly engine: Pick<Engine, "process" | "program" | "maskText">;
  readonly userId: (name: string) => number | undefined;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: bigint;
  /** Nanoseconds since boot, now. */
  readonly nowNs: bigint;
}

/**
 * A line of a log as a record, joined to the process that wrote it where the log itself knows it: of
 * a line of a text file process and program are what its writer says.
 *
 * @param event The line and what it says.
 * @param options Process table, users, clock, and the record's number.
 */
export function madeOfLog(
  event: LogEvent,
  { engine, userId, wallOffsetNs, nowNs, sequence }: LogIntakeOptions,
): MadeRecord {
  const timeNs = bootTime(event.timeMs, { wallOffsetNs, nowNs });
  const named = processOf(event, { engine, timeNs });
  const process = event.origin === "file" ? undefined : named;
  const joined: LogEvent = { ...event, writer: event.writer ?? writerOf(event, named, engine) };
  const origin = { sequence, timeNs, process, userId };
  return {
    bytes: logRecord(joined, { ...origin, mask: (text) => engine.maskText(text) }),
    plain: logRecord(joined, { ...origin, hides: false }),
    sources: logSourcesOf(event),
    fields: event.fields,
    onlyIfFound: event.told.kind === "log_line",
  };
}

/** The line's time; now where it has none, or one that is ahead. What is before the boot is at 0. */
function bootTime(
  timeMs: number | undefined,
  { wallOffsetNs, nowNs }: Pick<LogIntakeOptions, "wallOffsetNs" | "nowNs">,
): bigint {
  if (timeMs === undefined) return nowNs;
  const timeNs = BigInt(Math.round(timeMs)) * NS_PER_MS - wallOffsetNs;
  if (timeNs > nowNs) return nowNs;
  return timeNs > 0n ? timeNs : 0n;
}

/** The process that the line names, where it lives and began before the line. */
function processOf(
  { pid }: LogEvent,
  { engine, timeNs }: { readonly engine: LogIntakeOptions["engine"]; readonly timeNs: bigint },
): ProcessRow | undefined {
  const row = pid === 0 ? undefined : engine.process(pid, 0n);
  return row === undefined || row.startNs > timeNs + CLOCK_STEP_NS ? undefined : row;
}

/**
 * Whether the process that the line names runs another program than the line names: one of both is
 * a lie then. Where they fit, whoever wrote it may have looked for such a process.
 */
function writerOf(
  { program }: LogEvent,
  row: ProcessRow | undefined,
  engine: LogIntakeOptions["engine"],
): "unknown" | "other" {
  const expected = IMAGES.get(program);
  const image = row === undefined ? undefined : engine.program(row.program)?.image;
  if (expected === undefined || image === undefined) return "unknown";
  const name = DECODER.decode(image).replace(/^.*\//s, "").replace(/ \(deleted\)$/, "");
  return expected.has(name) ? "unknown" : "other";
}

/** The program of a record's process, for its document. */
export function programOfRecord(
  { pid, startTimeNs, parentPid, parentStartTimeNs }: RecordView,
  engine: Pick<Engine, "process" | "program">,
): {
  readonly process: ReturnType<Engine["program"]>;
  readonly parent: ReturnType<Engine["program"]>;
} {
  const of = (id: number, startNs: bigint): ReturnType<Engine["program"]> => {
    if (startNs === 0n) return undefined;
    const row = engine.process(id, startNs);
    return row === undefined ? undefined : engine.program(row.program);
  };
  return { process: of(pid, startTimeNs), parent: of(parentPid, parentStartTimeNs) };
}
