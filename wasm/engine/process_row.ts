/** What the process table knows of a process. */
export interface ProcessRow {
  readonly pid: number;
  /** Start time, nanoseconds since boot. */
  readonly startNs: bigint;
  readonly parentPid: number;
  readonly parentStartNs: bigint;
  /** Effective user id. */
  readonly uid: number;
  readonly gid: number;
  /** Real user id, where a record told it. */
  readonly realUid: number | undefined;
  readonly cgroupId: bigint;
  readonly session: bigint;
  readonly role: number;
  /** Its program; 0 = not known. */
  readonly program: number;
  readonly ended: boolean;
}

/** Offsets of `Row` in wasm/assembly/process_table.ts. */
const ROW = {
  pid: 0,
  state: 4,
  start: 8,
  parentStart: 16,
  parentPid: 24,
  uid: 28,
  cgroup: 32,
  session: 40,
  gid: 48,
  realUid: 52,
  program: 56,
  role: 60,
} as const;

const STATE_FREE = 0;
const STATE_ENDED = 2;
const UID_UNKNOWN = 0xFFFF_FFFF;

/**
 * Reads a row.
 *
 * @param view The module's memory.
 * @param pointer Place of the row.
 * @returns The row, or `undefined` when nothing is there.
 */
export function readProcessRow(view: DataView, pointer: number): ProcessRow | undefined {
  if (pointer === 0 || view.getUint32(pointer + ROW.state, true) === STATE_FREE) return undefined;
  const number = (offset: number): number => view.getUint32(pointer + offset, true);
  const big = (offset: number): bigint => view.getBigUint64(pointer + offset, true);
  const realUid = number(ROW.realUid);
  return {
    pid: number(ROW.pid),
    startNs: big(ROW.start),
    parentPid: number(ROW.parentPid),
    parentStartNs: big(ROW.parentStart),
    uid: number(ROW.uid),
    gid: number(ROW.gid),
    realUid: realUid === UID_UNKNOWN ? undefined : realUid,
    cgroupId: big(ROW.cgroup),
    session: big(ROW.session),
    role: number(ROW.role),
    program: number(ROW.program),
    ended: number(ROW.state) === STATE_ENDED,
  };
}
