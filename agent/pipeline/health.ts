import { type Health, SCAN_CLASSES, SCAN_SECONDS_BOUNDS } from "../../common/wire/health.ts";

const NS_PER_MS = 1_000_000;
const MS_PER_SECOND = 1000;

/** Counts how long scans take, by class of duration. */
export class ScanClock {
  #scans = new Array<number>(SCAN_CLASSES).fill(0);
  #timeMs = 0;

  /** @param durationMs How long a scan took, in milliseconds. */
  add(durationMs: number): void {
    const found = SCAN_SECONDS_BOUNDS.findIndex((bound) => durationMs <= bound * MS_PER_SECOND);
    const at = found === -1 ? SCAN_CLASSES - 1 : found;
    this.#scans[at] = (this.#scans[at] ?? 0) + 1;
    this.#timeMs += durationMs;
  }

  /** What was counted since the last call. */
  take(): Pick<Health, "scans" | "scanTimeNs"> {
    const taken = { scans: this.#scans, scanTimeNs: Math.round(this.#timeMs * NS_PER_MS) };
    this.#scans = new Array<number>(SCAN_CLASSES).fill(0);
    this.#timeMs = 0;
    return taken;
  }
}
