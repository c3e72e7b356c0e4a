import { type Clock, SYSTEM_CLOCK, type Timer } from "../../common/config/clock.ts";
import type { Alert, AlertCorrelationMember } from "../../common/wire/mod.ts";
import type { Store } from "../store/store.ts";
import type { Detector } from "./detector.ts";

/** How often the store is asked for new alerts, in milliseconds. */
export const FEED_INTERVAL_MS = 500;
/** Most alerts that are taken at once. */
export const FEED_ALERTS_MAX = 500;
/** How often state is put down, in milliseconds: a crash has it made anew from there on. */
export const STATE_SAVE_MS = 30_000;

/** What a feed works with. */
export interface FeedOptions {
  readonly store: Pick<Store, "alertFeed" | "alert" | "detected" | "detectionState">;
  readonly detector: Detector;
  /** Default: the host's clock. */
  readonly clock?: Clock;
  /** Told when the store does not take what was found, and when it does again. */
  readonly onLine?: (line: string) => void;
}

/**
 * Brings alerts from the store to a detector, and what it finds back. State and position go down
 * together; after a crash the alerts since then are judged once more, and what they led to has the
 * same ids.
 */
export class DetectionFeed {
  readonly #store: FeedOptions["store"];
  readonly #detector: Detector;
  readonly #clock: Clock;
  readonly #onLine: (line: string) => void;
  /** Found, and not in the store yet. */
  #found: readonly Alert[] = [];
  #savedPosition = 0;
  #savedAtMs: number;
  #isFailing = false;
  #timer: Timer | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isStarted = false;
  #isStopped = false;

  /** @param options Store and detector. */
  constructor({ store, detector, clock = SYSTEM_CLOCK, onLine }: FeedOptions) {
    this.#store = store;
    this.#detector = detector;
    this.#clock = clock;
    this.#onLine = onLine ?? ((): void => {});
    this.#savedAtMs = clock.monotonicMs();
  }

  /**
   * Goes on from where the last run stopped, and keeps on; does nothing when it does so already.
   *
   * @throws {ImmuneError} when the store cannot be read.
   */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const kept = await this.#store.detectionState();
    if (kept !== undefined) this.#detector.resume(kept.position, kept.state);
    this.#savedPosition = this.#detector.position;
    this.#wait(0);
  }

  /** Takes what is in the store now; for a test, and before the end. */
  async drain(): Promise<void> {
    while (await this.#step());
  }

  /** Ends it; state is put down. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#turn;
    await this.#keep(true);
  }

  #wait(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#clock.setTimer(() => {
      this.#turn = this.#step().then((more) => this.#wait(more ? 0 : FEED_INTERVAL_MS));
    }, delayMs);
  }

  /** One page; true when there may be more at once. */
  async #step(): Promise<boolean> {
    try {
      // What the store did not take before goes first: the detector has its alerts already.
      if (this.#found.length === 0) return await this.#take();
      await this.#keep(false);
      return this.#found.length === 0;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  async #take(): Promise<boolean> {
    const query = { after: this.#detector.position, limit: FEED_ALERTS_MAX };
    const fed = await this.#store.alertFeed(query);
    this.#found = this.#detector.take(fed);
    await this.#keep(false);
    return fed.length === FEED_ALERTS_MAX;
  }

  async #keep(atOnce: boolean): Promise<void> {
    const { position } = this.#detector;
    const isDue = atOnce || this.#clock.monotonicMs() - this.#savedAtMs >= STATE_SAVE_MS;
    const isNew = position !== this.#savedPosition;
    if (this.#found.length === 0 && !(isDue && isNew)) return;
    try {
      await this.#store.detected({
        alerts: await this.#named(),
        ...(isDue && isNew ? { state: { position, state: this.#detector.save() } } : {}),
      });
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#isFailing) this.#onLine("Alerts over all hosts are stored again");
    this.#isFailing = false;
    this.#found = [];
    if (!isDue) return;
    this.#savedPosition = position;
    this.#savedAtMs = this.#clock.monotonicMs();
  }

  /** What was found, its members with their hosts; one after the other, as a store's queue is short. */
  async #named(): Promise<readonly Alert[]> {
    const named: Alert[] = [];
    for (const alert of this.#found) {
      const members: AlertCorrelationMember[] = [];
      for (const member of alert.correlation?.members ?? []) {
        members.push(withHost(member, await this.#store.alert(member.event)));
      }
      const { correlation } = alert;
      named.push(
        correlation === undefined ? alert : {
          ...alert,
          correlation: { ...correlation, members },
        },
      );
    }
    return named;
  }

  #fail(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (!this.#isFailing) this.#onLine(`Cannot correlate over all hosts: ${why}; trying again`);
    this.#isFailing = true;
  }
}

function withHost(
  member: AlertCorrelationMember,
  alert: Alert | undefined,
): AlertCorrelationMember {
  if (alert === undefined) return member;
  const { id, name } = alert.host;
  return { ...member, host: { id, name } };
}
