import type { Weakness } from "../enforce/weakness.ts";
import type { Unfaithful } from "../sensors/control.ts";
import type { OwnFiles } from "./own_files.ts";
import type { Tamper } from "./tamper.ts";

/** How often it is looked for a debugger, a clock that was set, a pause, in milliseconds. */
export const WATCH_INTERVAL_MS = 1000;
/** How often kernel and files are looked at, in milliseconds. */
export const VERIFY_INTERVAL_MS = 5000;
/** The agent is at most so long between two looks, in milliseconds; longer, and it was stopped. */
export const PAUSE_MS_MAX = 10_000;
/** A wall clock that moves more than this against the boot clock was set, in milliseconds. */
export const CLOCK_STEP_MS = 2000;
/** For so long small steps of the wall clock are summed up, in milliseconds. */
export const CLOCK_SPAN_MS = 3_600_000;
/** How fast a clock is put right slowly at most: 500 ppm, as the kernel does (adjtimex(2)). */
export const CLOCK_SLEW_MAX = 500e-6;

/** What is looked at. */
export interface SelfProbes {
  /** Process that traces the agent; 0 = none. */
  readonly tracer: () => number;
  /** What the kernel adds to the agent's badness when memory is short; `undefined` = not told. */
  readonly oomScoreAdj: () => number | undefined;
  /** Programs and maps that were not as they should be. */
  readonly sensor: () => readonly Unfaithful[];
  /** Gives the policy to the kernel again. */
  readonly restorePolicy: () => void;
  /** For what the enforcement policy does not hold in full now. */
  readonly weaknesses: () => readonly Weakness[];
  readonly files: Pick<OwnFiles, "check">;
  /** Unix time, in milliseconds. */
  readonly wallMs: () => number;
  /** Milliseconds since boot, suspend included. */
  readonly bootMs: () => number;
  /** A clock that stands still while the host sleeps, in milliseconds. */
  readonly steadyMs: () => number;
}

/** What is told of a part of the sensor, or of enforcement, that was not as it had been left. */
const UNFAITHFUL: Readonly<Record<Unfaithful["what"], Pick<Tamper, "what" | "detail">>> = {
  program: {
    what: "detached",
    detail: "it was not attached, or its link ran another program",
  },
  map: { what: "map_changed", detail: "it did not hold what the agent had written" },
  guardian: {
    what: "killed",
    detail: "the process that lets opens go while the agent stands still had ended, or stood still",
  },
  hasher: {
    what: "killed",
    detail: "all processes that hash what programs serve (FUSE) wait for servers that never answer",
  },
  pin: {
    what: "file_changed",
    detail: "it was gone, or led elsewhere: enforcement would have ended with the agent",
  },
};

/** Parts that giving the policy again puts right. */
const OF_POLICY: readonly Unfaithful["what"][] = ["program", "map"];

/** Looks after the agent itself, a little at a time; each finding is told once, when it begins. */
export class SelfCheck {
  readonly #probes: SelfProbes;
  #watchedAt: number;
  #verifiedAt = -Infinity;
  #tracer = 0;
  #oomScoreAdj: number | undefined;
  #wallOffsetMs: number;
  /** What small steps are measured from. */
  #clockBase: { readonly bootMs: number; readonly offsetMs: number };
  /** What was not put right at the last look. */
  #unrestored: ReadonlySet<string> = new Set();
  /** Objects of the weaknesses of the last look. */
  #weak: ReadonlySet<string> = new Set();

  /** @param probes What is looked at; clocks as they are now are right. */
  constructor(probes: SelfProbes) {
    this.#probes = probes;
    this.#watchedAt = probes.steadyMs() - WATCH_INTERVAL_MS;
    const bootMs = probes.bootMs();
    this.#wallOffsetMs = probes.wallMs() - bootMs;
    this.#clockBase = { bootMs, offsetMs: this.#wallOffsetMs };
    this.#oomScoreAdj = probes.oomScoreAdj();
  }

  /**
   * Looks, when it is time to.
   *
   * @returns What was found; empty when all is well.
   */
  step(): readonly Tamper[] {
    const now = this.#probes.steadyMs();
    const since = now - this.#watchedAt;
    if (since < WATCH_INTERVAL_MS) return [];
    this.#watchedAt = now;
    const found = [
      ...this.#pause(since),
      ...this.#debugger(),
      ...this.#clock(),
      ...this.#outOfMemory(),
    ];
    if (now - this.#verifiedAt < VERIFY_INTERVAL_MS) return found;
    this.#verifiedAt = now;
    return [...found, ...this.#sensor(), ...this.#weaknesses(), ...this.#probes.files.check()];
  }

  #pause(since: number): readonly Tamper[] {
    if (since < PAUSE_MS_MAX) return [];
    return [{
      what: "stopped",
      object: "the agent",
      detail: `it stood still for ${(since / 1000).toFixed(1)} s: it was stopped, or got no time`,
    }];
  }

  #debugger(): readonly Tamper[] {
    const tracer = this.#probes.tracer();
    const before = this.#tracer;
    this.#tracer = tracer;
    if (tracer === 0 || tracer === before) return [];
    return [{
      what: "traced",
      object: "the agent",
      detail: `process ${tracer} is attached to it as a debugger`,
      pid: tracer,
    }];
  }

  #clock(): readonly Tamper[] {
    const bootMs = this.#probes.bootMs();
    const offsetMs = this.#probes.wallMs() - bootMs;
    const moved = offsetMs - this.#wallOffsetMs;
    // Taken over also when it is little: a clock that is put right slowly is not one that was set.
    this.#wallOffsetMs = offsetMs;
    const base = this.#clockBase;
    const spanMs = bootMs - base.bootMs;
    const summed = offsetMs - base.offsetMs;
    const isStep = Math.abs(moved) >= CLOCK_STEP_MS;
    const isSum = Math.abs(summed) >= CLOCK_STEP_MS + spanMs * CLOCK_SLEW_MAX;
    if (isStep || isSum || spanMs >= CLOCK_SPAN_MS) this.#clockBase = { bootMs, offsetMs };
    if (isStep) return [clockMoved(moved, "")];
    return isSum ? [clockMoved(summed, `, in steps within ${Math.round(spanMs / 1000)} s`)] : [];
  }

  #outOfMemory(): readonly Tamper[] {
    const now = this.#probes.oomScoreAdj();
    const before = this.#oomScoreAdj;
    this.#oomScoreAdj = now;
    if (now === undefined || before === undefined || now <= before) return [];
    return [{
      what: "oom_exposed",
      object: "oom_score_adj",
      detail: `it was ${before} and is ${now}: the agent ends sooner when memory is short`,
    }];
  }

  #sensor(): readonly Tamper[] {
    const wrong = this.#probes.sensor();
    if (wrong.some(({ what, restored }) => OF_POLICY.includes(what) && !restored)) {
      this.#probes.restorePolicy();
    }
    // What giving the policy again has put right is not wrong any more.
    const left = wrong.length === 0 ? [] : this.#probes.sensor()
      .filter(({ restored }) => !restored).map(({ what, name }) => `${what} ${name}`);
    const found = wrong.map(({ what, name, restored }) => ({
      ...UNFAITHFUL[what],
      object: `${what} ${name}`,
      restored: restored || !left.includes(`${what} ${name}`),
    }));
    const before = this.#unrestored;
    this.#unrestored = new Set(
      found.filter(({ restored }) => !restored).map(({ object }) => object),
    );
    return found.filter(({ object }) => !before.has(object));
  }

  #weaknesses(): readonly Tamper[] {
    const now = this.#probes.weaknesses();
    const before = this.#weak;
    this.#weak = new Set(now.map(({ object }) => object));
    return now.filter(({ object }) => !before.has(object))
      .map((weakness) => ({ what: "not_enforced", ...weakness }));
  }
}

function clockMoved(byMs: number, how: string): Tamper {
  const way = byMs > 0 ? "ahead" : "back";
  return {
    what: "clock_moved",
    object: "wall clock",
    detail: `it was set ${way} by ${(Math.abs(byMs) / 1000).toFixed(1)} s${how}`,
  };
}
