import { ImmuneError } from "../../common/config/errors.ts";
import { CAPABILITY_ROW_BYTES, CAPABILITY_STATES } from "../sensors/capabilities.ts";
import { lastError, loadLibrary } from "../sensors/library.ts";
import { encodeOptions, type KernelOptions } from "../sensors/options.ts";
import type { Action } from "./policy.ts";

/** Where a verdict is given, by its number in records. */
export const TIER_NAMES = ["lsm", "cgroup", "fanotify", "signal"] as const;

/** Name of a tier. */
export type Tier = typeof TIER_NAMES[number];

/** What `enum immune_enforce_trial` tries, in its order. */
export const TRIALS: readonly { readonly tier: Tier; readonly action: Action }[] = [
  { tier: "lsm", action: "exec" },
  { tier: "lsm", action: "connect" },
  { tier: "lsm", action: "open" },
  { tier: "cgroup", action: "connect" },
  { tier: "fanotify", action: "exec" },
  { tier: "fanotify", action: "open" },
  { tier: "signal", action: "exec" },
];

/** What one tier does for one action on this host. */
export interface TierTrial {
  readonly tier: Tier;
  readonly action: Action;
  /** `silent`: attached without error, yet its own test act went on. */
  readonly state: (typeof CAPABILITY_STATES)[number];
  /** One line; empty when it works. */
  readonly reason: string;
  /** Whether what it failed for passes, such as want of time or memory. Default: false. */
  readonly mayWork?: boolean;
}

/** What the loader says of the lsm tier where programs of that kind are never asked. */
const NOT_ASKED = "list of LSMs lacks bpf";
/** EINTR, EAGAIN, ENOMEM, EBUSY, ENFILE, EMFILE, ENOSPC, ENOBUFS, EDQUOT: want of what comes back. */
const PASSING = [4, 11, 12, 16, 23, 24, 28, 105, 122];
const ROW = { state: 2, error: 4, reason: 8 } as const;

/**
 * Tries each tier on this host: loads, attaches, and has it refuse an act of its own.
 *
 * @param options As for a sensor.
 * @returns A row a tier and action.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` when nothing could be tried.
 */
export function tryTiers(options: KernelOptions = {}): readonly TierTrial[] {
  const { symbols } = loadLibrary(options);
  const bytes = new Uint8Array(CAPABILITY_ROW_BYTES * TRIALS.length);
  const count = Number(
    symbols.immune_enforce_trial(encodeOptions(options), bytes, TRIALS.length),
  );
  if (count < 0) throw new ImmuneError("SENSOR_UNAVAILABLE", lastError(symbols));
  return decodeTrials(bytes.subarray(0, count * CAPABILITY_ROW_BYTES));
}

/**
 * Reads rows as the loader writes them.
 *
 * @param rows Whole rows of `struct immune_capability_row`, one a trial.
 * @returns What they say.
 */
export function decodeTrials(rows: Uint8Array): readonly TierTrial[] {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  const read = TRIALS.slice(0, rows.length / CAPABILITY_ROW_BYTES).map((trial, i) => {
    const at = i * CAPABILITY_ROW_BYTES;
    const text = rows.subarray(at + ROW.reason, at + CAPABILITY_ROW_BYTES);
    const reason = new TextDecoder().decode(text.subarray(0, Math.max(0, text.indexOf(0))));
    const state = CAPABILITY_STATES[view.getUint16(at + ROW.state, true)] ?? "untried";
    return { ...trial, state, reason, error: view.getInt32(at + ROW.error, true) };
  });
  // The sensor of the trial itself did not load, where another one runs.
  const isUntried = read.length > 1 &&
    read.every(({ state, reason }) => state === "refused" && reason === read[0]?.reason);
  return read.map(({ error, ...trial }) => {
    const passes = trial.state === "silent"
      ? !trial.reason.includes(NOT_ASKED)
      : trial.state === "refused" && (isUntried || PASSING.includes(error));
    return passes ? { ...trial, mayWork: true } : trial;
  });
}

/**
 * Whether a tier does an action here.
 *
 * @param trials What was tried.
 * @param wanted Tier and action.
 */
export function works(
  trials: readonly TierTrial[],
  { tier, action }: Pick<TierTrial, "tier" | "action">,
): boolean {
  return trials.some((trial) =>
    trial.tier === tier && trial.action === action && trial.state === "works"
  );
}
