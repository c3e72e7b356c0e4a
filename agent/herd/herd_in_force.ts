import type { Clock, Timer } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import type { OwnThings } from "../../common/herd/protected.ts";
import { Backoff } from "../../common/link/backoff.ts";
import { askApart } from "../apart/ask.ts";
import type { WantedAntibodies } from "../guards/guard.ts";
import { HERD_WORKER, type TakenAntibodies, type TakeRequest } from "./messages.ts";
import { SetFolder } from "./set_folder.ts";

/** How often it is looked whether an antibody has run out, in milliseconds: clocks may be set. */
export const EXPIRY_LOOK_MS = 60_000;

/** What a host takes antibodies by. */
export interface HerdInForceParts {
  /** The agent's folder. */
  readonly agent: string;
  /** `StatePaths.indicators`. */
  readonly indicators: string;
  /** What no antibody may hit here. */
  readonly own: OwnThings;
  readonly clock: Clock;
  /** Gets a set that is not here; it has the hash that was asked for. */
  readonly fetchSet: (hash: string) => Promise<Uint8Array>;
  /** Has them taken over again: one has run out, or they could not be taken before. */
  readonly again: () => Promise<void>;
  /** Default: in a Worker that ends, for reading rules takes much memory. */
  readonly take?: (request: TakeRequest) => Promise<TakenAntibodies>;
  /** Numbers in [0, 1) for the jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * The antibodies of a host: what the hive ordered, on this host's disk, for as long as it holds.
 * They run out here by this host's clock, whether the hive is there or not.
 */
export class HerdInForce implements Disposable {
  readonly #parts: HerdInForceParts;
  readonly #folder: SetFolder;
  readonly #backoff: Backoff;
  #timer: Timer | undefined;
  #ended = false;

  /** @param parts Where things are, and what is done in time. */
  constructor(parts: HerdInForceParts) {
    this.#parts = parts;
    this.#folder = new SetFolder(parts.agent);
    this.#backoff = new Backoff(parts.random);
  }

  /** Where their rules lie: nowhere, or in one folder. */
  get rulePaths(): readonly string[] {
    return this.#folder.hasRules ? [this.#folder.rules] : [];
  }

  /** True while what is wanted could not be taken over. */
  get isFailing(): boolean {
    return this.#backoff.failures > 0;
  }

  /** True where antibodies were ever taken. */
  get isUsed(): boolean {
    return this.#folder.isUsed;
  }

  /**
   * Puts the sets that are wanted on this host's disk, as far as its lint takes them, and has them
   * looked at again when something has to happen.
   *
   * @param wanted Hashes of the sets.
   * @returns What is there then.
   * @throws {ImmuneError} `NOT_FOUND`, `INPUT_MALFORMED`, `STATE_LOCKED`, `STATE_UNUSABLE`, or what
   * getting a set ends with; it is tried again.
   */
  async take(wanted: WantedAntibodies): Promise<TakenAntibodies> {
    const { agent, indicators, own, clock, take = takeApart } = this.#parts;
    this.#timer?.cancel();
    try {
      for (const hash of [wanted.fleet, wanted.host]) if (hash !== null) await this.#get(hash);
      const taken = await take({ agent, indicators, wanted, own, nowMs: clock.nowMs() });
      this.#backoff.reset();
      if (taken.nextExpiryMs !== null) this.#waitUntil(taken.nextExpiryMs);
      return taken;
    } catch (error) {
      this.#wait(this.#backoff.next(), () => void this.#again());
      throw error;
    }
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  async #get(hash: string): Promise<void> {
    if (this.#folder.read(hash) !== undefined) return;
    this.#folder.add(hash, await this.#parts.fetchSet(hash));
  }

  #waitUntil(expiryMs: number): void {
    const leftMs = expiryMs - this.#parts.clock.nowMs();
    if (leftMs <= 0) return this.#wait(0, () => void this.#again());
    this.#wait(Math.min(leftMs, EXPIRY_LOOK_MS), () => this.#waitUntil(expiryMs));
  }

  #wait(delayMs: number, then: () => void): void {
    if (this.#ended) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.setTimer(then, delayMs);
  }

  async #again(): Promise<void> {
    if (!this.#ended) await this.#parts.again();
  }
}

function takeApart(request: TakeRequest): Promise<TakenAntibodies> {
  return askApart<TakenAntibodies>(HERD_WORKER, request);
}

/**
 * What a host found to be true of its antibodies, in one line.
 *
 * @param taken What is on its disk.
 * @param found `inForce`: ids of the rules that were compiled; `reloaded`: what the engine had
 * then, `undefined` while the sensor is off.
 * @throws {ImmuneError} `IMAGE_INVALID` when a rule of theirs is not in force.
 */
export function antibodiesText(
  { ids, indicators, ruleIds, refused }: TakenAntibodies,
  { wanted, inForce, reloaded }: {
    readonly wanted: WantedAntibodies;
    readonly inForce: ReadonlySet<string>;
    readonly reloaded: { readonly hash: string; readonly indicators: number } | undefined;
  },
): string {
  const missing = ruleIds.filter((id) => !inForce.has(id));
  const [one] = missing;
  if (one !== undefined) {
    const message = `Cannot use ${missing.length} antibodies, of them "${one}": no rule of theirs` +
      " is in force";
    throw new ImmuneError("IMAGE_INVALID", message);
  }
  const sets = `antibody sets ${wanted.fleet ?? "none"} and ${wanted.host ?? "none"} ` +
    (reloaded === undefined ? "are kept: the sensor is off" : "active");
  const counts = `${ids.length} antibodies, as ${indicators} indicators and ` +
    `${ruleIds.length} rules, ${refused.length} refused`;
  const engine = reloaded === undefined
    ? ""
    : `; rule set ${reloaded.hash} and ${reloaded.indicators} indicators in force`;
  const [first] = refused;
  return `${sets}: ${counts}${engine}${first === undefined ? "" : `; refused: ${first.message}`}`;
}
