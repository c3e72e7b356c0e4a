import type { CanaryState } from "../../common/wire/directive_result.ts";
import type { ElapsedClock } from "./elapsed.ts";

const HOUR_MS = 3600 * 1000;
/** How often the hive is asked for a canary, in milliseconds. */
export const CANARY_CHECK_MS = 6 * HOUR_MS;
/** Without a canary for this long it is lost, in milliseconds. */
export const CANARY_LOSS_MS = 48 * HOUR_MS;
/** How long before that it is warned, in milliseconds. */
export const CANARY_WARN_AHEAD_MS = 12 * HOUR_MS;
/** A hive that was asked in vain is asked again after this long, in milliseconds. */
export const CANARY_RETRY_MS = 5 * 60 * 1000;
/** Time that went on by so much between two looks jumped, in milliseconds: the host was suspended. */
export const CANARY_JUMP_MS = 30 * 60 * 1000;
/** After a jump nothing is lost for so long, in milliseconds: the hive is asked twice in it. */
export const CANARY_SPARED_MS = 2 * CANARY_RETRY_MS;
const NONCE_BYTES = 16;

/** Options of {@linkcode CanaryWatch}. */
export interface CanaryOptions {
  /** Default {@linkcode CANARY_CHECK_MS}. */
  readonly checkMs?: number;
  /** Default {@linkcode CANARY_LOSS_MS}. */
  readonly lossMs?: number;
  /** When the last fresh one was asked for, in elapsed milliseconds. Default: now. */
  readonly lastMs?: number | undefined;
}

/**
 * The dead man's switch: how long ago a hive with the directive key last answered. It knows elapsed
 * time and nonces alone, so that no clock that is set, here or at the hive, changes its mind.
 */
export class CanaryWatch {
  readonly #clock: ElapsedClock;
  readonly #checkMs: number;
  readonly #lossMs: number;
  #lastMs: number;
  #asked: { readonly nonce: string; readonly atMs: number } | undefined;
  #askedMs = -Infinity;
  #sparedMs = -Infinity;

  /**
   * @param clock Time that passes.
   * @param options Intervals.
   */
  constructor(clock: ElapsedClock, options: CanaryOptions = {}) {
    this.#clock = clock;
    this.#checkMs = options.checkMs ?? CANARY_CHECK_MS;
    this.#lossMs = options.lossMs ?? CANARY_LOSS_MS;
    this.#lastMs = options.lastMs ?? clock.nowMs();
  }

  /** When the last fresh one was asked for, in elapsed milliseconds. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** What the next canary has to answer; `undefined` = none was asked for. */
  get nonce(): string | undefined {
    return this.#asked?.nonce;
  }

  /**
   * Asks for a canary. One that was asked for before does not count any more.
   *
   * @returns The nonce that it has to carry, 32 hexadecimal digits.
   */
  ask(): string {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES)).toHex();
    this.#askedMs = this.#clock.nowMs();
    this.#asked = { nonce, atMs: this.#askedMs };
    return nonce;
  }

  /**
   * Asks again for the one that has not come; where none was asked for, for a new one.
   *
   * @returns The same as {@linkcode ask}.
   */
  askAgain(): string {
    return this.nonce ?? this.ask();
  }

  /** Takes the answer, whose signature and nonce were checked. It counts from when it was asked. */
  answered(): void {
    if (this.#asked === undefined) return;
    this.#lastMs = this.#asked.atMs;
    this.#asked = undefined;
  }

  /** Time has jumped: that no canary came says nothing before the hive was asked again. */
  jumped(): void {
    this.#sparedMs = this.#clock.nowMs() + CANARY_SPARED_MS;
  }

  /** Milliseconds since the last fresh one was asked for. */
  get ageMs(): number {
    return this.#clock.nowMs() - this.#lastMs;
  }

  /** What that means. */
  get state(): CanaryState {
    if (this.ageMs >= this.#lossMs) {
      return this.#clock.nowMs() < this.#sparedMs ? "warned" : "lost";
    }
    return this.ageMs >= this.#lossMs - this.#warnAheadMs ? "warned" : "fresh";
  }

  /** Milliseconds until the state or the need to ask may be another. */
  get nextMs(): number {
    const age = this.ageMs;
    const ahead = [this.#checkMs, this.#lossMs - this.#warnAheadMs, this.#lossMs]
      .filter((at) => at > age).map((at) => at - age);
    return age >= this.#checkMs ? Math.min(CANARY_RETRY_MS, ...ahead) : Math.min(...ahead);
  }

  /** True when it is time to ask. */
  get isDue(): boolean {
    return this.ageMs >= this.#checkMs && this.#clock.nowMs() - this.#askedMs >= CANARY_RETRY_MS;
  }

  get #warnAheadMs(): number {
    return Math.min(CANARY_WARN_AHEAD_MS, this.#lossMs / 4);
  }
}
