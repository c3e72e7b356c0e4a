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
}

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
  const view = new DataView(bytes.buffer);
  return TRIALS.slice(0, count).map((trial, i) => {
    const at = i * CAPABILITY_ROW_BYTES;
    const text = bytes.subarray(at + 8, at + CAPABILITY_ROW_BYTES);
    const reason = new TextDecoder().decode(text.subarray(0, Math.max(0, text.indexOf(0))));
    const state = CAPABILITY_STATES[view.getUint16(at + 2, true)] ?? "untried";
    return { ...trial, state, reason };
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
