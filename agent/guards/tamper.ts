import { encodeRecord, SOURCES, TAMPERS } from "../../common/record/mod.ts";

/** Something about the agent that is not as it left it. */
export interface Tamper {
  readonly what: keyof typeof TAMPERS;
  /** What it happened to. */
  readonly object: string;
  /** What was expected and what was found, for people. */
  readonly detail: string;
  /** True when the agent put it right. Default: false. */
  readonly restored?: boolean;
  /** Process that did it, where it is known. */
  readonly pid?: number;
}

/** Longest text of a tamper record, in bytes. */
const TEXT_BYTES_MAX = 4096;
const UTF8 = new TextEncoder();

/**
 * Tampering as a record of the agent's process.
 *
 * @param tamper What was found.
 * @param about Number and time of the record, and the agent's own process.
 * @returns Bytes of the record.
 */
export function tamperRecord(
  { what, object, detail, restored, pid }: Tamper,
  about: {
    readonly sequence: number;
    readonly timeNs: bigint;
    readonly pid: number;
    readonly startNs: bigint;
  },
): Uint8Array {
  return encodeRecord("tamper", {
    header: {
      source: SOURCES.logs,
      sequence: about.sequence,
      time_ns: about.timeNs,
      pid: about.pid,
      tid: about.pid,
      start_time_ns: about.startNs,
    },
    body: { what: TAMPERS[what], restored: restored === true ? 1 : 0, other_pid: pid ?? 0 },
    slots: {
      object: UTF8.encode(object).slice(0, TEXT_BYTES_MAX),
      detail: UTF8.encode(detail).slice(0, TEXT_BYTES_MAX),
    },
  });
}
