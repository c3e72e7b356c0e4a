import type { Policy } from "./policy.ts";

/** Counters of one kind at one source: seen = the sum of the others. Exact up to 2^53. */
export interface Counters {
  readonly seen: number;
  readonly submitted: number;
  /** Not wanted by the policy. */
  readonly filtered: number;
  readonly ringFull: number;
  readonly oversized: number;
  readonly unreadable: number;
  /** Over a limit of its process or cgroup. */
  readonly folded: number;
}

/** Counters and position of one source of one kind. */
export interface StatsRow extends Counters {
  /** Number of the kind, as in records. */
  readonly kind: number;
  /** As in records: CPU, 0x4000 + CPU, or 0xF000 and up. */
  readonly source: number;
  /** Last sequence number that the source took. */
  readonly sequence: number;
}

/** What a kernel counts of one of the sensor's programs. */
export interface ProgramRow {
  readonly name: string;
  /** Calls that it left out, as the program ran on that CPU already. */
  readonly missed: number;
  /** Runs, while the kernel counts them (kernel.bpf_stats_enabled). */
  readonly runs: number;
  /** Their time, in nanoseconds. */
  readonly runTimeNs: number;
  readonly attached: boolean;
}

/** Records of one kind that were folded, as their process or cgroup was over its limit. */
export interface FoldedRow {
  /** Number of the kind, as in records. */
  readonly kind: number;
  /** 0 for a cgroup. */
  readonly pid: number;
  /** Of the process; 0 for a cgroup. */
  readonly startTimeNs: bigint;
  readonly cgroupId: bigint;
  readonly count: number;
  /** Nanoseconds since boot. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** Where records come from: a kernel, or a recording. */
export interface Sensor extends Disposable {
  /** True when no more records will come. A kernel never ends. */
  readonly ended: boolean;
  /**
   * Waits until there are records and writes whole ones, from the start of `view`.
   *
   * @param view At least `RECORD_BYTES_MAX` bytes; may be over WASM memory.
   * @param timeoutMs Longest wait, in milliseconds.
   * @returns Bytes written; 0 when there was nothing.
   * @throws {ImmuneError} `SENSOR_FAILED` when the sensor stopped working.
   */
  poll(view: Uint8Array<ArrayBuffer>, timeoutMs: number): number;
  /** Ends a wait early; from any thread. */
  wake(): void;
  /** Counters of all sources since the start. */
  stats(): readonly StatsRow[];
  /** Counters of the sensor's tables; their kind is 0. A recording has none. */
  tables?(): readonly StatsRow[];
  /** What the kernel counts of each program. A recording has none. */
  programs?(): readonly ProgramRow[];
  /** Takes what was folded since the last call. A recording has none. */
  folded?(): readonly FoldedRow[];
  /**
   * Replaces what is wanted.
   *
   * @param policy What to report.
   * @returns How many watches could not be set.
   * @throws {ImmuneError} `CONFIG_INVALID` when it does not hold; nothing is changed then.
   */
  policy(policy: Policy): number;
  /**
   * Gives processes the labels that were found for them. A recording has no use for them.
   *
   * @param labels Rows as `Engine.takeLabels` gives them.
   * @returns How many processes have theirs now.
   */
  label?(labels: Uint8Array<ArrayBuffer>): number;
  /** Detaches. More calls do nothing. */
  close(): void;
}
