import { ImmuneError } from "../../common/config/errors.ts";
import { TABLE_KIND } from "../../common/wire/place.ts";
import {
  cString,
  lastError,
  type LibraryOptions,
  type LibrarySymbols,
  loadLibrary,
} from "./library.ts";
import { encodePolicy, type Policy } from "./policy.ts";
import { PROGRAMS_MAX } from "./programs.ts";
import type { FoldedRow, ProgramRow, StatsRow } from "./sensor.ts";

/** Offsets in `struct immune_stats_row`. */
const ROW = {
  kind: 0, // u16
  source: 2, // u16
  sequence: 8, // u64
  seen: 16, // u64, and the following
  submitted: 24,
  filtered: 32,
  ringFull: 40,
  oversized: 48,
  unreadable: 56,
  folded: 64,
} as const;
/** Bytes of `struct immune_stats_row`. */
export const STATS_ROW_BYTES = 72;
/** Bytes of `struct immune_label`: u64 start time, u64 session, u64 time, u32 pid, u32 role. */
export const LABEL_BYTES = 32;
/** Bytes of `struct immune_program_row`: 32 of name, u64 missed, runs, time, u32 attached, u32 0. */
export const PROGRAM_ROW_BYTES = 64;
const PROGRAM_ROW = { missed: 32, runs: 40, runTimeNs: 48, attached: 56 } as const;
/** Bytes of `struct immune_folded_row`. */
export const FOLDED_ROW_BYTES = 48;
const FOLDED_ROW = {
  startTimeNs: 0, // u64, and the following
  cgroupId: 8,
  count: 16,
  firstNs: 24,
  lastNs: 32,
  pid: 40, // u32
  kind: 44, // u16
} as const;
/** Most rows of folded records that one call takes. */
const FOLDED_ROWS_MAX = 1024;
/** Most programs that there is room for: more than this version has. */
const PROGRAM_ROWS_MAX = 64;
/** Most rows of counters: 7 kinds and a table on 500 CPUs, and those of user space. */
export const STATS_ROWS_MAX = 4096;

/** Bytes of `struct immune_verify_row`: u32 what, u32 restored, 32 of name. */
const VERIFY_ROW_BYTES = 40;
const VERIFIED = ["program", "map", "guardian", "hasher", "pin"] as const;
/** Most of them that are told of at once. */
const VERIFY_ROWS_MAX = 64;

/** A process that a signal is meant for: all of it must agree with what is there. */
export interface SignalTarget {
  readonly pid: number;
  /** Start time of its record, in nanoseconds since boot. */
  readonly startTimeNs: bigint;
  /** Expected target of /proc/PID/exe; default: not looked at. */
  readonly image?: string;
}

/** Something of the sensor, or of enforcement, that the kernel did not have as it was given. */
export interface Unfaithful {
  readonly what: typeof VERIFIED[number];
  readonly name: string;
  /** True when it was put right. */
  readonly restored: boolean;
}

/** An open kernel sensor as threads other than its reader may use it. */
export class SensorControl {
  protected readonly symbols: LibrarySymbols;
  #handle: bigint;

  /** @param handle Of {@linkcode SensorControl.handle}, in this process. */
  constructor(handle: bigint, options: LibraryOptions = {}) {
    this.symbols = loadLibrary(options).symbols;
    this.#handle = handle;
  }

  /** What another thread of this process needs to make its own control. 0 = closed. */
  get handle(): bigint {
    return this.#handle;
  }

  /** Ends the reader's wait early. */
  wake(): void {
    this.check(this.symbols.immune_sensor_wake(this.pointer()));
  }

  /** Counters of records, of all sources since the sensor was opened. */
  stats(): readonly StatsRow[] {
    return this.#rows().filter((row) => row.kind !== TABLE_KIND);
  }

  /**
   * Counters of the sensor's tables: a row's `seen` is what its table was asked to hold, `ringFull`
   * what found no room.
   *
   * @returns Of source 0xF000 the neighbours of watched files that are not asked about any more,
   * of 0x4000 + CPU the kernel's map of connections, of 0x8000 + CPU its map of rates, of
   * `SOURCES.hash`, `hash_apart` and `hash_still` files to be hashed, of the others (a CPU each) its
   * process map; their `filtered` were in it already.
   */
  tables(): readonly StatsRow[] {
    return this.#rows().filter((row) => row.kind === TABLE_KIND);
  }

  /** What the kernel counts of each program of the sensor. */
  programs(): readonly ProgramRow[] {
    const rows = new DataView(new ArrayBuffer(PROGRAM_ROW_BYTES * PROGRAM_ROWS_MAX));
    const bytes = new Uint8Array(rows.buffer);
    const count = this.check(
      this.symbols.immune_sensor_programs(this.pointer(), bytes, PROGRAM_ROWS_MAX),
    );
    return Array.from(
      { length: Math.min(count, PROGRAM_ROWS_MAX) },
      (_, i) => programRow(rows, i * PROGRAM_ROW_BYTES),
    );
  }

  /** Takes what was folded since the last call: processes and cgroups over their limits. */
  folded(): readonly FoldedRow[] {
    const rows = new DataView(new ArrayBuffer(FOLDED_ROW_BYTES * FOLDED_ROWS_MAX));
    const bytes = new Uint8Array(rows.buffer);
    const count = this.check(
      this.symbols.immune_sensor_folded(this.pointer(), bytes, FOLDED_ROWS_MAX),
    );
    return Array.from({ length: count }, (_, i) => foldedRow(rows, i * FOLDED_ROW_BYTES));
  }

  #rows(): readonly StatsRow[] {
    const rows = new DataView(new ArrayBuffer(STATS_ROW_BYTES * STATS_ROWS_MAX));
    const bytes = new Uint8Array(rows.buffer);
    const count = this.check(
      this.symbols.immune_sensor_stats(this.pointer(), bytes, STATS_ROWS_MAX),
    );
    return Array.from(
      { length: Math.min(count, STATS_ROWS_MAX) },
      (_, i) => statsRow(rows, i * STATS_ROW_BYTES),
    );
  }

  /**
   * Replaces what is wanted.
   *
   * @param policy What to report.
   * @returns How many watches could not be set; {@linkcode problem} has the last reason.
   * @throws {ImmuneError} `CONFIG_INVALID` when it does not hold.
   */
  policy(policy: Policy): number {
    const blob = encodePolicy(policy);
    return this.check(this.symbols.immune_sensor_policy(this.pointer(), blob, blob.length));
  }

  /**
   * Watches of the policy in force that were set in full with it and are not any more: a device or a
   * folder below /dev came since that there is no room for.
   *
   * @returns How many; {@linkcode problem} has the last one. Each is a loss of watched opens, too.
   */
  unwatched(): number {
    return this.check(this.symbols.immune_sensor_unwatched(this.pointer()));
  }

  /**
   * Gives processes the labels that user space found for them, and so what they do from now on.
   *
   * @param labels Rows of `struct immune_label`, as `Engine.takeLabels` gives them.
   * @returns How many were written: a process may have ended, or have another role by now.
   * @throws {ImmuneError} `SENSOR_FAILED` when the kernel refuses.
   */
  label(labels: Uint8Array<ArrayBuffer>): number {
    const count = labels.length / LABEL_BYTES;
    return this.check(this.symbols.immune_sensor_label(this.pointer(), labels, count));
  }

  /**
   * Programs that the sensor has in the kernel.
   *
   * @returns Their ids.
   */
  programIds(): Uint32Array<ArrayBuffer> {
    const ids = new Uint32Array(PROGRAMS_MAX);
    const bytes = new Uint8Array(ids.buffer);
    const count = this.check(
      this.symbols.immune_sensor_program_ids(this.pointer(), bytes, PROGRAMS_MAX),
    );
    return ids.slice(0, Math.min(count, PROGRAMS_MAX));
  }

  /**
   * Looks whether the kernel still has what the sensor gave it, and puts right what it can.
   *
   * @returns What was not as it should be; empty when all is well.
   */
  verify(): readonly Unfaithful[] {
    return readUnfaithful((bytes, capacity) =>
      this.check(this.symbols.immune_sensor_verify(this.pointer(), bytes, capacity))
    );
  }

  /** Why the last call on this thread failed; says nothing after one that did not. */
  problem(): string {
    return lastError(this.symbols);
  }

  /**
   * Signals a process by a handle on itself, after its identity was checked.
   *
   * @param target Which process.
   * @param signal Number of the signal; 0 only checks.
   * @throws {ImmuneError} `SENSOR_FAILED` when it is another one now, gone, or protected.
   */
  signal(target: SignalTarget, signal: number): void {
    const image = target.image === undefined ? null : cString(target.image);
    const { pid, startTimeNs } = target;
    this.check(
      this.symbols.immune_process_signal(this.pointer(), pid, startTimeNs, image, signal),
    );
  }

  /** The sensor itself, or an error when it is closed. */
  protected pointer(): bigint {
    if (this.#handle === 0n) {
      throw new ImmuneError("SENSOR_FAILED", "Cannot use the sensor: it is closed");
    }
    return this.#handle;
  }

  /** A result that is not negative, as a number. */
  protected check(result: bigint): number {
    if (result < 0n) throw new ImmuneError("SENSOR_FAILED", lastError(this.symbols));
    return Number(result);
  }

  /** Gives the handle up. */
  protected release(): bigint {
    const handle = this.#handle;
    this.#handle = 0n;
    return handle;
  }
}

/**
 * What a look at the kernel found.
 *
 * @param look Fills rows of `struct immune_verify_row`; returns how many there are.
 */
export function readUnfaithful(
  look: (bytes: Uint8Array<ArrayBuffer>, capacity: number) => number,
): readonly Unfaithful[] {
  const rows = new DataView(new ArrayBuffer(VERIFY_ROW_BYTES * VERIFY_ROWS_MAX));
  const count = look(new Uint8Array(rows.buffer), VERIFY_ROWS_MAX);
  return Array.from(
    { length: Math.min(count, VERIFY_ROWS_MAX) },
    (_, i) => verifyRow(rows, i * VERIFY_ROW_BYTES),
  );
}

function verifyRow(rows: DataView, offset: number): Unfaithful {
  const name = new Uint8Array(rows.buffer, offset + 8, VERIFY_ROW_BYTES - 8);
  return {
    what: VERIFIED[rows.getUint32(offset, true) - 1] ?? "map",
    restored: rows.getUint32(offset + 4, true) !== 0,
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
  };
}

function foldedRow(rows: DataView, offset: number): FoldedRow {
  return {
    kind: rows.getUint16(offset + FOLDED_ROW.kind, true),
    pid: rows.getUint32(offset + FOLDED_ROW.pid, true),
    startTimeNs: rows.getBigUint64(offset + FOLDED_ROW.startTimeNs, true),
    cgroupId: rows.getBigUint64(offset + FOLDED_ROW.cgroupId, true),
    count: Number(rows.getBigUint64(offset + FOLDED_ROW.count, true)),
    firstNs: rows.getBigUint64(offset + FOLDED_ROW.firstNs, true),
    lastNs: rows.getBigUint64(offset + FOLDED_ROW.lastNs, true),
  };
}

function programRow(rows: DataView, offset: number): ProgramRow {
  const u64 = (at: number): number => Number(rows.getBigUint64(offset + at, true));
  const name = new Uint8Array(rows.buffer, offset, PROGRAM_ROW.missed);
  return {
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    missed: u64(PROGRAM_ROW.missed),
    runs: u64(PROGRAM_ROW.runs),
    runTimeNs: u64(PROGRAM_ROW.runTimeNs),
    attached: rows.getUint32(offset + PROGRAM_ROW.attached, true) !== 0,
  };
}

function statsRow(rows: DataView, offset: number): StatsRow {
  const u64 = (at: number): number => Number(rows.getBigUint64(offset + at, true));
  return {
    kind: rows.getUint16(offset + ROW.kind, true),
    source: rows.getUint16(offset + ROW.source, true),
    sequence: u64(ROW.sequence),
    seen: u64(ROW.seen),
    submitted: u64(ROW.submitted),
    filtered: u64(ROW.filtered),
    ringFull: u64(ROW.ringFull),
    oversized: u64(ROW.oversized),
    unreadable: u64(ROW.unreadable),
    folded: u64(ROW.folded),
  };
}
