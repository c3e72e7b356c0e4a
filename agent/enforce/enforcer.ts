import { ImmuneError } from "../../common/config/errors.ts";
import { VERDICT_TIERS } from "../../common/record/values.ts";
import type { TierTally } from "../../common/wire/tier_tally.ts";
import { readUnfaithful, type Unfaithful } from "../sensors/control.ts";
import type { KernelSensor } from "../sensors/kernel.ts";
import {
  cString,
  lastError,
  type LibraryOptions,
  type LibrarySymbols,
  loadLibrary,
} from "../sensors/library.ts";
import { awaitGone, type Detached, PROGRAMS_MAX } from "../sensors/programs.ts";
import type { Tier } from "./trial.ts";
import { LEFT_OUT, type LeftOut } from "./weakness.ts";

/** Version of the interface that this code speaks (IMMUNE_ENFORCE_ABI). */
const ENFORCE_ABI = 1;
const OPTION_BYTES = 16 + 1024;
const PIN_PATH_AT = 16;
/** Bytes of `struct immune_enforce_row`. */
const ROW_BYTES = 56;
const ROWS_MAX = 8;
/** Bytes of `struct immune_left_row`: u32 what, u32 count, 256 of path, 64 of reason. */
const LEFT_ROW_BYTES = 328;
const LEFT_ROW = { count: 4, path: 8, reason: 264 } as const;

/** How enforcement is loaded. */
export interface EnforcerOptions extends LibraryOptions {
  /** Tiers that may refuse; they were tried before. */
  readonly tiers: readonly Tier[];
  /** Whether it begins without refusing anything. Default: it refuses. */
  readonly paused?: boolean;
  /** Whether it stays in the kernel when this process ends. Default: it does not. */
  readonly pinned?: boolean;
  /** Folder on a BPF file system; also looked into for what an earlier run left. */
  readonly pinPath?: string;
}

/** What one tier did since it was loaded. */
export interface TierCounts extends TierTally {
  /** Programs that were hashed; one that changed, or was forgotten since, again. */
  readonly hashed: number;
  /** Programs that the kernel runs now; of fanotify 0, which has none. */
  readonly attached: number;
}

/** The enforcing programs beside an open sensor. */
export class Enforcer implements Disposable {
  readonly tiers: readonly Tier[];
  readonly #symbols: LibrarySymbols;
  readonly #options: EnforcerOptions;
  #handle: bigint;

  /**
   * Loads and attaches; nothing is refused until a policy is set.
   *
   * @param sensor Whose maps and rings it shares; it must live longer.
   * @param options Tiers and where to pin.
   * @throws {ImmuneError} `SENSOR_FAILED` when the kernel refuses.
   */
  constructor(sensor: Pick<KernelSensor, "handle">, options: EnforcerOptions) {
    this.#symbols = loadLibrary(options).symbols;
    this.#options = options;
    this.tiers = options.tiers;
    const out = new BigUint64Array(1);
    this.#check(this.#symbols.immune_enforce_open(sensor.handle, encodeOptions(options), out));
    this.#handle = out[0] ?? 0n;
  }

  /**
   * Puts a policy in force, at one instant.
   *
   * @param blob Of `encodeEnforcement`.
   * @returns What of it fanotify is not asked about, in one line; `undefined` where that is nothing.
   * @throws {ImmuneError} `SENSOR_FAILED` when it does not hold: the one in force stays.
   */
  policy(blob: Uint8Array<ArrayBuffer>): string | undefined {
    const left = this.#check(
      this.#symbols.immune_enforce_policy(this.#handle, blob, blob.length),
    );
    return left === 0 ? undefined : lastError(this.#symbols);
  }

  /**
   * Has fanotify ask about what came to the places of the policy: directories, file systems.
   *
   * @returns The same as {@linkcode policy}.
   * @throws {ImmuneError} `SENSOR_FAILED` when the kernel refuses, or memory or descriptors lack.
   */
  look(): string | undefined {
    const left = this.#check(this.#symbols.immune_enforce_look(this.#handle));
    return left === 0 ? undefined : lastError(this.#symbols);
  }

  /** What fanotify was not asked about at the last of both. */
  left(): readonly LeftOut[] {
    const bytes = new Uint8Array(LEFT_ROW_BYTES * LEFT_OUT.length);
    const view = new DataView(bytes.buffer);
    const count = this.#check(
      this.#symbols.immune_enforce_left(this.#handle, bytes, LEFT_OUT.length),
    );
    return Array.from({ length: Math.min(count, LEFT_OUT.length) }, (_, i) => {
      const at = i * LEFT_ROW_BYTES;
      return {
        what: LEFT_OUT[view.getUint32(at, true)] ?? "places",
        count: view.getUint32(at + LEFT_ROW.count, true),
        path: text(bytes.subarray(at + LEFT_ROW.path, at + LEFT_ROW.reason)),
        reason: text(bytes.subarray(at + LEFT_ROW.reason, at + LEFT_ROW_BYTES)),
      };
    });
  }

  /**
   * Whether fanotify asks by hash about programs of a file system, or no hash is wanted.
   *
   * @param device Device of the file system, kernel encoding.
   */
  asks(device: number): boolean {
    return this.#check(this.#symbols.immune_enforce_asks(this.#handle, BigInt(device))) === 1;
  }

  /**
   * Refuses nothing, or goes on.
   *
   * @param paused Which.
   * @returns True when the kernel, asked afterwards, says that nothing is refused.
   */
  pause(paused: boolean): boolean {
    return this.#check(this.#symbols.immune_enforce_pause(this.#handle, paused ? 1 : 0)) === 1;
  }

  /**
   * What each tier did since it was loaded. Failed are signals that the kernel did not take, and
   * acts that nobody could judge, or not in time.
   */
  counts(): readonly TierCounts[] {
    const bytes = new Uint8Array(ROW_BYTES * ROWS_MAX);
    const view = new DataView(bytes.buffer);
    const count = this.#check(
      this.#symbols.immune_enforce_counts(this.#handle, bytes, ROWS_MAX),
    );
    return Array.from({ length: Math.min(count, ROWS_MAX) }, (_, i) => {
      const u64 = (at: number): number => Number(view.getBigUint64(i * ROW_BYTES + at, true));
      const number = view.getUint32(i * ROW_BYTES, true);
      const tier = (Object.keys(VERDICT_TIERS) as Tier[])
        .find((name) => VERDICT_TIERS[name] === number) ?? "lsm";
      return {
        tier,
        judged: u64(8),
        refused: u64(16),
        monitored: u64(24),
        capped: u64(32),
        failed: u64(40),
        hashed: u64(48),
        attached: view.getUint32(i * ROW_BYTES + 4, true),
      };
    });
  }

  /**
   * Looks whether the kernel still has what it was given, and puts right what it can.
   *
   * @returns What was not as it should be; empty when all is well.
   */
  verify(): readonly Unfaithful[] {
    return readUnfaithful((bytes, capacity) =>
      this.#check(this.#symbols.immune_enforce_verify(this.#handle, bytes, capacity))
    );
  }

  /** Ids of its programs in the kernel. */
  programIds(): Uint32Array<ArrayBuffer> {
    const ids = new Uint32Array(PROGRAMS_MAX);
    const count = this.#check(
      this.#symbols.immune_enforce_program_ids(
        this.#handle,
        new Uint8Array(ids.buffer),
        PROGRAMS_MAX,
      ),
    );
    return ids.slice(0, Math.min(count, PROGRAMS_MAX));
  }

  /** Detaches, unless it is pinned. More calls do nothing. */
  close(): void {
    const handle = this.#handle;
    this.#handle = 0n;
    if (handle !== 0n) this.#symbols.immune_enforce_close(handle);
  }

  /**
   * Detaches, and takes pins away: nothing of it is left.
   *
   * @returns How many programs there were, and how many the kernel still has.
   */
  remove(): Detached {
    const ids = this.#handle === 0n ? new Uint32Array(0) : this.programIds();
    this.close();
    if (this.#options.pinPath !== undefined) releasePinned(this.#options.pinPath, this.#options);
    return awaitGone(ids, this.#options);
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #check(result: bigint): number {
    if (result < 0n) throw new ImmuneError("SENSOR_FAILED", lastError(this.#symbols));
    return Number(result);
  }
}

/**
 * Takes away what is pinned in a folder, whoever pinned it.
 *
 * @param pinPath The folder; one that is not there has nothing.
 * @param options The library.
 * @returns How many programs were pinned, and how many the kernel still has.
 * @throws {ImmuneError} `SENSOR_FAILED` when something cannot be removed.
 */
export function releasePinned(pinPath: string, options: LibraryOptions = {}): Detached {
  const { symbols } = loadLibrary(options);
  const ids = new Uint32Array(PROGRAMS_MAX);
  const count = symbols.immune_enforce_release(
    cString(pinPath),
    new Uint8Array(ids.buffer),
    PROGRAMS_MAX,
  );
  if (count < 0n) throw new ImmuneError("SENSOR_FAILED", lastError(symbols));
  return awaitGone(ids.slice(0, Math.min(Number(count), PROGRAMS_MAX)), options);
}

/**
 * Whether something is pinned in a folder, whoever pinned it.
 *
 * @param pinPath The folder; one that is not there has nothing.
 * @param options The library.
 * @throws {ImmuneError} `SENSOR_FAILED` when the folder cannot be read, `SENSOR_UNAVAILABLE` without
 * the library.
 */
export function isPinned(pinPath: string, options: LibraryOptions = {}): boolean {
  const { symbols } = loadLibrary(options);
  const sets = symbols.immune_enforce_pinned(cString(pinPath));
  if (sets < 0n) throw new ImmuneError("SENSOR_FAILED", lastError(symbols));
  return sets > 0n;
}

/** What stands before the NUL. */
function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

function encodeOptions(options: EnforcerOptions): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OPTION_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ENFORCE_ABI, true);
  view.setUint32(4, options.tiers.reduce((bits, tier) => bits | 1 << VERDICT_TIERS[tier], 0), true);
  view.setUint32(8, options.pinned === true ? 1 : 0, true);
  view.setUint32(12, options.paused === true ? 1 : 0, true);
  const path = new TextEncoder().encode(options.pinPath ?? "");
  if (path.length >= OPTION_BYTES - PIN_PATH_AT) {
    throw new ImmuneError("CONFIG_INVALID", `Cannot pin in "${options.pinPath}": it is too long`);
  }
  bytes.set(path, PIN_PATH_AT);
  return bytes;
}
