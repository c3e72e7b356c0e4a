import { ImmuneError } from "../../common/config/errors.ts";
import type { TierTally } from "../../common/wire/tier_tally.ts";
import type { Unfaithful } from "../sensors/control.ts";
import type { KernelSensor } from "../sensors/kernel.ts";
import type { KernelOptions } from "../sensors/options.ts";
import type { Detached } from "../sensors/programs.ts";
import { Enforcer } from "./enforcer.ts";
import { closeAgain, followFiles, KEPT_FILES_MAX, openAgain } from "./kept.ts";
import { PinnedBefore } from "./pinned_before.ts";
import type { EnforcementPolicy, Entry } from "./policy.ts";
import {
  type FileAbout,
  filesKey,
  type ResolvedFiles,
  resolveFiles,
  sparesNone,
} from "./resolve.ts";
import { directoriesLeft, encodeEnforcement } from "./tables.ts";
import { addTiers } from "./tier_counts.ts";
import { tierWeaknesses } from "./tier_weakness.ts";
import { holdOf } from "./tiers.ts";
import { type Tier, type TierTrial, tryTiers } from "./trial.ts";
import { Trials } from "./trials.ts";
import { FailedActs, type LeftOut, leftWeaknesses, type Weakness } from "./weakness.ts";

/** Files that a policy names are looked at again this often, in milliseconds. */
export const LOOK_AGAIN_MS = 10_000;
/** And this soon after a program ran of a file system that nobody was asked about, in milliseconds. */
export const LOOK_SOON_MS = 2000;
/** File systems that are known to be asked about; more are asked for again. */
const DEVICES_MAX = 4096;
/**
 * A policy that did not come into force at the start, and tiers without which an entry does not hold,
 * are tried again this often, in milliseconds.
 */
export const BEGIN_AGAIN_MS = 60_000;
/** Tiers by which entries would only hold better are tried again ever less often, to this. */
export const BETTER_AGAIN_MS_MAX = 3_600_000;
/** So many trials are waited for tiers that an earlier agent's set may refuse by, which stays so long. */
export const TAKE_OVER_TRIALS = 5;

/** How a host enforces. */
export interface EnforcementOptions {
  readonly policy: EnforcementPolicy;
  /** Whether it stays in the kernel when the agent ends. */
  readonly pinned: boolean;
  /** Folder to pin in, and to take over from. */
  readonly pinPath: string;
  /** Whether it begins without refusing anything. */
  readonly paused: boolean;
}

/** What an enforcement works with. */
export interface EnforcementParts {
  readonly sensor: Pick<KernelSensor, "handle">;
  readonly kernel: KernelOptions;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: () => bigint;
  /** Id of a role of the rules in force. */
  readonly roleId: (name: string) => number | undefined;
  readonly onWarning: (message: string) => void;
  /** Tries the tiers. Default: on this host. */
  readonly tryTiers?: () => readonly TierTrial[];
  /** A clock that only goes on, in milliseconds. Default: that of this process. */
  readonly nowMs?: () => number;
}

/** A policy in force, by the tiers that this host has. */
export class Enforcement implements Disposable {
  readonly #parts: EnforcementParts;
  readonly #options: EnforcementOptions;
  readonly #nowMs: () => number;
  readonly #trials: Trials;
  readonly #before: PinnedBefore;
  #policy: EnforcementPolicy;
  #enforcer: Enforcer | undefined;
  /** What was counted by programs that others took the place of. */
  #past: readonly TierTally[] = [];
  #files = "";
  /** What was found of the policy in force. */
  #found: ResolvedFiles | undefined;
  /** Why the last look changed nothing; empty where it did. */
  #said = "";
  /** Why better tiers did not come into force at the last try; empty where they did. */
  #whyLess = "";
  /** When better ones are tried next. */
  #betterAtMs = Infinity;
  #betterTries = 0;
  /** What fanotify is not asked about, as it was told. */
  #left: string | undefined;
  #leftOut: readonly LeftOut[] = [];
  readonly #failedActs = new FailedActs();
  /** Devices whose programs are hashed before they run, as of the last look. */
  readonly #asked = new Set<number>();
  /** Programs that ran of another one, while an entry names hashes. */
  #unasked = 0;
  #isSoon = false;
  #isOver = false;
  #lookedAt = -Infinity;
  #paused: boolean;

  /**
   * Tries the tiers of this host and puts the policy in force by those that work. Where that fails
   * nothing is refused until it does not: that is told, and the sensor is as good without.
   *
   * @param options The policy, and what happens when the agent ends.
   * @param parts Sensor and clock.
   */
  constructor(options: EnforcementOptions, parts: EnforcementParts) {
    const { kernel, onWarning, nowMs = () => performance.now() } = parts;
    this.#parts = parts;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#trials = new Trials(parts.tryTiers ?? (() => tryTiers(kernel)), nowMs);
    this.#before = new PinnedBefore({ pinPath: options.pinPath, library: kernel, onWarning });
    this.#policy = options.policy;
    this.#paused = options.paused;
    this.#begin();
  }

  /** The policy in force, or that is to be. */
  get policy(): EnforcementPolicy {
    return this.#policy;
  }

  /** Tiers that it is held by. */
  get tiers(): readonly Tier[] {
    return this.#enforcer?.tiers ?? [];
  }

  /**
   * What each tier in force did, since the agent began; one that somebody detached is in no force.
   */
  counts(): readonly TierTally[] {
    const now = this.#enforcer?.counts() ?? [];
    const held = now.filter(({ tier, attached }) => tier === "fanotify" || attached > 0)
      .map(({ tier }) => tier);
    return addTiers(now, this.#past).filter(({ tier }) => held.includes(tier))
      .map((row) => row.tier === "fanotify" ? withFailed(row, this.#unasked) : row);
  }

  /**
   * Takes note that a program ran. One of a file system that fanotify does not ask about yet went on
   * unhashed: it is counted as failed, and looked for that file system soon.
   *
   * @param device Its device, kernel encoding.
   */
  ran(device: number): void {
    if (this.#asked.has(device) || this.#enforcer === undefined) return;
    if (this.#enforcer.asks(device)) {
      if (this.#asked.size >= DEVICES_MAX) this.#asked.clear();
      this.#asked.add(device);
      return;
    }
    this.#unasked++;
    this.#isSoon = true;
  }

  /**
   * Looks whether the kernel still has what it was given, and puts right what it can.
   *
   * @returns What was not as it should be; empty when all is well.
   */
  verify(): readonly Unfaithful[] {
    return this.#enforcer?.verify() ?? [];
  }

  /** Gives the kernel the policy in force once more; when it refuses, that is warned of. */
  restore(): void {
    this.#files = "";
    this.#lookedAt = -Infinity;
    this.lookAgainIfDue();
  }

  /**
   * Puts another policy in force; at no moment is neither.
   *
   * @param policy The policy.
   * @throws {ImmuneError} `SENSOR_FAILED` when the kernel refuses, or what tiers failed for may pass
   * and nothing is in force yet; the one in force stays.
   */
  use(policy: EnforcementPolicy): void {
    const before = this.#enforcer;
    const isSame = this.#found !== undefined && policy.hash === this.#policy.hash;
    // Where none is in force yet, this is the one to try again.
    if (before === undefined) this.#policy = policy;
    const { tiers, hoped } = this.#trials.choose(policy.entries);
    if (before === undefined) this.#wait(tiers, hoped);
    const files = this.#follow(policy, isSame ? this.#found : undefined);
    if (before !== undefined && before.tiers.join() === tiers.join()) {
      this.#give(before, { policy, files });
    } else {
      const { pinned, pinPath } = this.#options;
      const next = new Enforcer(this.#parts.sensor, {
        ...this.#parts.kernel,
        tiers,
        pinned,
        pinPath,
        paused: this.#paused,
      });
      try {
        this.#give(next, { policy, files });
      } catch (error) {
        next.close();
        throw error;
      }
      this.#enforcer = next;
      this.#past = addTiers(before?.counts() ?? [], this.#past);
      before?.close();
    }
    this.#policy = policy;
    this.#said = "";
    this.#whyLess = "";
    this.#betterTries = 0;
    this.#betterAtMs = hoped.join() === tiers.join() ? Infinity : this.#nowMs() + this.#restMs();
    this.#warn(policy, files);
  }

  /**
   * Puts another policy in force, or says that it is not, in a warning and a weakness.
   *
   * @param policy The policy; where none is in force it is tried again every minute.
   */
  take(policy: EnforcementPolicy): void {
    const isFirst = this.#enforcer === undefined;
    try {
      if (isFirst) this.#trials.againIfDue(BEGIN_AGAIN_MS);
      this.use(policy);
    } catch (error) {
      if (!isFirst) return this.#fail(error, "the enforcement policy in force stays");
      this.#fail(error, `${this.#nothing()}; it is tried again every minute`);
      if (this.#paused) this.#before.blocking(false);
    }
  }

  /**
   * Looks at the places of the policy again, when that is due: a file may have been replaced, a
   * directory made, a file system mounted.
   */
  lookAgainIfDue(): void {
    const interval = this.#enforcer === undefined
      ? BEGIN_AGAIN_MS
      : this.#isSoon
      ? LOOK_SOON_MS
      : LOOK_AGAIN_MS;
    if (this.#isOver || this.#nowMs() - this.#lookedAt < interval) return;
    if (this.#enforcer === undefined) return this.#begin();
    if (this.#nowMs() >= this.#betterAtMs) this.#better(this.#enforcer);
    this.#lookedAt = this.#nowMs();
    const files = this.#follow(this.#policy, this.#found);
    try {
      if (filesKey(files) === this.#files) this.#tell(this.#enforcer.look(), this.#enforcer);
      else this.#give(this.#enforcer, { policy: this.#policy, files });
      this.#said = "";
    } catch (error) {
      this.#fail(error, "the enforcement policy stays as it was");
    }
  }

  /** For what the policy does not hold in full now; what a tier that holds does not see is not in it. */
  weaknesses(): readonly Weakness[] {
    const why = this.#enforcer === undefined ? this.#nothing() : "it stays as it was";
    return [
      ...this.#said === "" ? [] : [{ object: "policy", detail: `${this.#said}; ${why}` }],
      ...this.#weakTiers(),
      ...leftWeaknesses(this.#leftOut),
      ...this.#failedActs.take(this.counts(), this.#nowMs()),
    ];
  }

  /**
   * Refuses nothing, or goes on.
   *
   * @param wanted Whether it is to refuse.
   * @returns Whether it does, or what an earlier agent left does, as the kernel says afterwards.
   */
  blocking(wanted: boolean): boolean {
    this.#paused = !wanted;
    return this.#enforcer === undefined
      ? this.#before.blocking(wanted)
      : this.#enforcer.pause(!wanted) === false;
  }

  /** Detaches and takes pins away, an earlier agent's too; how many programs there were, and are. */
  remove(): Detached {
    const enforcer = this.#enforcer;
    this.#isOver = true;
    this.#past = addTiers(enforcer?.counts() ?? [], this.#past);
    this.#enforcer = undefined;
    return this.#before.release(enforcer);
  }

  /** Detaches, unless it is pinned. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#enforcer?.close();
    this.#enforcer = undefined;
  }

  /** Puts the first policy in force, or says that it is not. */
  #begin(): void {
    this.#lookedAt = this.#nowMs();
    this.take(this.#policy);
  }

  /** What is so while no policy is in force. */
  #nothing(): string {
    const { line } = this.#before;
    return line === "" ? "this agent refuses nothing" : `this agent refuses nothing; ${line}`;
  }

  /**
   * Nothing comes into force by no tier while one may work yet; nor by fewer of those that outlive
   * an agent while a set of an earlier one, which it would take the place of, may have them.
   */
  #wait(tiers: readonly Tier[], hoped: readonly Tier[]): void {
    const missing = hoped.filter((tier) => !tiers.includes(tier));
    const isLess = missing.some((tier) => tier !== "fanotify") &&
      this.#trials.count <= TAKE_OVER_TRIALS && this.#before.line !== "";
    if (missing.length === 0 || tiers.length > 0 && !isLess) return;
    const why = this.#trials.rows.find(({ mayWork, tier }) => mayWork && missing.includes(tier));
    throw new ImmuneError(
      "SENSOR_FAILED",
      `Cannot enforce by ${missing.join(" and ")}: ${why?.reason}`,
    );
  }

  /** Tries better tiers; the policy comes into force by them before it is not by those it has. */
  #better(enforcer: Enforcer): void {
    const { entries } = this.#policy;
    this.#betterTries++;
    try {
      this.#trials.againIfDue(BEGIN_AGAIN_MS);
      const isSame = this.#trials.choose(entries).tiers.join() === enforcer.tiers.join();
      if (!isSame) return this.use(this.#policy);
      this.#whyLess = "";
    } catch (error) {
      if (!(error instanceof ImmuneError)) throw error;
      this.#whyLess = error.message;
    }
    this.#betterAtMs = this.#nowMs() + this.#restMs();
  }

  /** How long until better tiers are tried: never long where an entry may hold that does not. */
  #restMs(): number {
    const { rows, hoped } = this.#trials;
    const holds = (entry: Entry, trials: readonly TierTrial[]): boolean =>
      holdOf(entry, trials).tiers.length > 0;
    const isUrgent = this.#policy.entries.some((entry) =>
      holds(entry, hoped) && !holds(entry, rows)
    );
    const ms = BEGIN_AGAIN_MS * 2 ** this.#betterTries;
    return this.#trials.restMs(isUrgent ? BEGIN_AGAIN_MS : Math.min(ms, BETTER_AGAIN_MS_MAX));
  }

  #weakTiers(): readonly Weakness[] {
    if (this.#enforcer === undefined) return [];
    return tierWeaknesses(this.#policy.entries, {
      tiers: this.tiers,
      trials: this.#trials.rows,
      hoped: this.#trials.hoped,
      why: this.#whyLess,
      nowMs: Date.now(),
    });
  }

  /** Said once, not every time that it is tried. */
  #fail(error: unknown, consequence: string): void {
    if (!(error instanceof ImmuneError)) throw error;
    if (error.message !== this.#said) this.#parts.onWarning(`${error.message}; ${consequence}`);
    this.#said = error.message;
  }

  #give(
    enforcer: Enforcer,
    { policy, files }: { readonly policy: EnforcementPolicy; readonly files: ResolvedFiles },
  ): void {
    const { roleId, wallOffsetNs } = this.#parts;
    const opened = openKept(files);
    try {
      const context = { files, roleId, wallOffsetNs: wallOffsetNs(), opened };
      this.#tell(enforcer.policy(encodeEnforcement(policy, context)), enforcer);
    } finally {
      for (const descriptor of opened.values()) closeAgain(descriptor);
    }
    this.#files = filesKey(files);
    this.#found = files;
    this.#lookedAt = this.#nowMs();
  }

  /** Files of a policy, those too that were moved away since; what cannot be followed is said. */
  #follow(policy: EnforcementPolicy, before: ResolvedFiles | undefined): ResolvedFiles {
    const { files, lost } = followFiles(policy, { before, now: resolveFiles(policy) });
    const [first] = lost;
    if (first !== undefined) {
      this.#parts.onWarning(
        `Enforcement: ${lost.length} files were moved away or replaced and are not known by what ` +
          `they are any more, the first "${first}": over ${KEPT_FILES_MAX}, or their file system ` +
          "has no handles for files",
      );
    }
    return files;
  }

  /** What fanotify is not asked about is said when it becomes another. */
  #tell(left: string | undefined, enforcer: Enforcer): void {
    this.#leftOut = enforcer.left();
    this.#asked.clear();
    this.#isSoon = false;
    if (left !== undefined && left !== this.#left) this.#parts.onWarning(`Enforcement: ${left}`);
    this.#left = left;
  }

  /** What of the policy does not hold here is said once, when it comes into force. */
  #warn(policy: EnforcementPolicy, files: ResolvedFiles): void {
    if (sparesNone(policy, files)) {
      this.#parts.onWarning(
        "Enforcement: none of the protected programs (init, sshd, login) was found, so none is spared",
      );
    }
    for (const entry of policy.entries) {
      for (const limit of holdOf(entry, this.#trials.rows).limits) {
        this.#parts.onWarning(`Enforcement entry "${entry.name}": ${limit}`);
      }
    }
    const left = this.tiers.includes("lsm") ? directoriesLeft(policy.entries) : 0;
    if (left > 0) {
      this.#parts.onWarning(
        `Enforcement: ${left} directories that trees are in have no room in the kernel's table: who ` +
          "moves one takes it out of its tree; name fewer paths and trees",
      );
    }
    for (const path of files.missing) {
      this.#parts.onWarning(
        `Enforcement: "${path}" is no file now, or FUSE serves it; it holds once there is one`,
      );
    }
    for (const path of files.unknown) {
      this.#parts.onWarning(
        `Enforcement: "${path}" is held by its path and by fanotify alone: its file system has ` +
          "numbers of its own for files, use Linux 5.14 or later",
      );
    }
  }
}

/** Descriptors of files that lost their name; one that is gone by now has none. */
function openKept({ kept }: ResolvedFiles): ReadonlyMap<FileAbout, number> {
  const opened = new Map<FileAbout, number>();
  for (const [path, files] of kept) {
    for (const about of files) {
      const again = openAgain(path, about);
      if (typeof again === "number") opened.set(about, again);
    }
  }
  return opened;
}

function withFailed(row: TierTally, count: number): TierTally {
  return { ...row, judged: row.judged + count, failed: row.failed + count };
}
