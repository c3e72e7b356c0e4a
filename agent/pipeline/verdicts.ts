import {
  BODY_LAYOUTS,
  decodeRecord,
  FLAGS,
  HEADER_OFFSETS,
  KINDS,
  type RecordView,
  SOURCES,
  VERDICT_OUTCOMES,
} from "../../common/record/mod.ts";
import type { Finding } from "../enforce/verdict.ts";

/** Verdicts whose process is to be seen ending; over it they are told unverified. */
export const VERDICTS_WAITING_MAX = 1024;
/** How long the end of a killed process is waited for, in milliseconds. */
export const END_WITHIN_MS = 5000;
const SIGKILL = 9;
const DEVICE_AT = BODY_LAYOUTS.exec.places.find(({ name }) => name === "device")?.offset ?? 0;

/** A verdict, and what was found afterwards. */
export interface Judged {
  readonly verdict: RecordView;
  readonly finding: Finding;
}

interface Waiting {
  readonly verdict: RecordView;
  readonly sinceMs: number;
}

/**
 * Follows verdicts to their end: a call that was refused has the kernel's own answer, a process that
 * was killed is seen to end by that very signal.
 */
export class Verdicts {
  readonly #waiting = new Map<string, Waiting>();
  readonly #nowMs: () => number;
  readonly #onProgram: ((device: number) => void) | undefined;

  /**
   * @param nowMs A clock that only goes on. Default: `performance.now()`.
   * @param onProgram Called for each program that ran, but of memory alone, with the device of its
   * file system.
   */
  constructor(
    nowMs: () => number = () => performance.now(),
    onProgram?: (device: number) => void,
  ) {
    this.#nowMs = nowMs;
    this.#onProgram = onProgram;
  }

  /** Verdicts whose end is not known yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a batch.
   *
   * @param records Whole, checked records; a verdict is copied out of them.
   * @returns Verdicts whose end is known by now.
   */
  take(records: Uint8Array): readonly Judged[] {
    const judged: Judged[] = [];
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    for (let offset = 0; offset < records.length;) {
      const length = view.getUint32(offset + HEADER_OFFSETS.length, true);
      const kind = view.getUint16(offset + HEADER_OFFSETS.kind, true);
      if (kind === KINDS.verdict.id) {
        this.#begin(decodeRecord(records.slice(offset, offset + length), 0), judged);
      } else if (kind === KINDS.exit.id && this.#waiting.size > 0) {
        this.#end(decodeRecord(records, offset), judged);
      } else if (kind === KINDS.exec.id) {
        const flags = view.getUint32(offset + HEADER_OFFSETS.flags, true);
        const body = offset + view.getUint16(offset + HEADER_OFFSETS.header_length, true);
        if ((flags & FLAGS.memory_only) === 0) {
          this.#onProgram?.(view.getUint32(body + DEVICE_AT, true));
        }
      }
      offset += length;
    }
    return judged;
  }

  /**
   * Gives up on ends that did not come.
   *
   * @param all True at the end: on all of them.
   */
  overdue(all = false): readonly Judged[] {
    const judged: Judged[] = [];
    const until = this.#nowMs() - END_WITHIN_MS;
    for (const [key, { verdict, sinceMs }] of this.#waiting) {
      if (!all && sinceMs > until) break;
      this.#waiting.delete(key);
      judged.push({ verdict, finding: unverified("its end was not seen") });
    }
    return judged;
  }

  #begin(verdict: RecordView, judged: Judged[]): void {
    const outcome = verdict.number("verdict", "outcome");
    if (outcome === VERDICT_OUTCOMES.refused) {
      const text = `the kernel answered EPERM, nothing of it happened${placeOf(verdict)}`;
      judged.push({ verdict, finding: { verified: true, text } });
    } else if (outcome !== VERDICT_OUTCOMES.killed) {
      judged.push({ verdict, finding: unverified(`it went on${placeOf(verdict)}`) });
    } else if (verdict.source === SOURCES.enforcement) {
      judged.push({ verdict, finding: unverified("no agent was there to see its end") });
    } else if (this.#waiting.size >= VERDICTS_WAITING_MAX) {
      judged.push({ verdict, finding: unverified("too many ends are waited for") });
    } else {
      this.#waiting.set(keyOf(verdict), { verdict, sinceMs: this.#nowMs() });
    }
  }

  #end(exit: RecordView, judged: Judged[]): void {
    const key = keyOf(exit);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    const signal = exit.number("exit", "signal");
    const finding = signal === SIGKILL
      ? { verified: true, text: "it ended by SIGKILL before its first instruction" }
      : unverified(`it ended by itself, with signal ${signal}`);
    judged.push({ verdict: waiting.verdict, finding });
  }
}

function unverified(text: string): Finding {
  return { verified: false, text };
}

/** Why a file was judged whose path is not whole; "" for any other. */
function placeOf(verdict: RecordView): string {
  if (!verdict.has("unresolved")) return "";
  if (verdict.has("truncated")) {
    return "; its path is longer than can be followed, so it may lie in any directory";
  }
  return verdict.number("verdict", "outcome") === VERDICT_OUTCOMES.failed
    ? "; where its file lies cannot be told (unmounted, or in memory alone)"
    : "";
}

function keyOf({ pid, startTimeNs }: RecordView): string {
  return `${pid} ${startTimeNs}`;
}
