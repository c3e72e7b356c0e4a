import type { Clock } from "../../common/config/clock.ts";
import { Backoff } from "../../common/link/backoff.ts";
import { Downlink } from "../../common/link/downlink.ts";
import { type HiveOrders, ordersFailure, OrdersRefused } from "../../common/link/orders.ts";
import type { ResultReport } from "../../common/wire/mod.ts";
import type { Guard, GuardActs } from "../guards/guard.ts";
import type { CommandState } from "../guards/command_state.ts";

/** What a link of orders is made of. */
export interface OrdersLinkParts {
  readonly orders: Pick<HiveOrders, "frames" | "canary" | "report">;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** Numbers in [0, 1) for the jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** A hive that refuses this agent so often in a row is asked no more. */
const REFUSALS_MAX = 3;
/** After so long, in milliseconds. */
const REFUSED_WAIT_MS = 30_000;

/** Frames that wait their turn while more are read: a stop is not to wait behind an order. */
const FRAMES_TAKEN_MAX = 16;

/** Between two canaries, in milliseconds: the hive signs one a second for an agent. */
const CANARY_PACE_MS = 1100;
/** Times in a row that a hive which was asked too often is asked again. */
const CANARY_TRIES_MAX = 4;

/** What a line is about. */
type Topic = "line" | "canary" | "report";

/** Carries orders from the hive to a guard, and what became of them back. */
export class OrdersLink {
  readonly #parts: OrdersLinkParts;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  #guard: Guard | undefined;
  #cursor: CommandState["highest"] = { directive: 0, canary: 0, stop: 0 };
  /** The newest report that the hive has not heard. */
  #report: ResultReport | undefined;
  #reporting = false;
  /** What the next canary is to answer; `undefined` = nothing waits to be asked. */
  #nonce: string | undefined;
  #asking = false;
  /** Before then the hive would refuse a question, in milliseconds of the clock. */
  #paceMs = -Infinity;
  /** What is being asked: to ask it twice would give an answer that nobody waits for. */
  #asked: string | undefined;
  readonly #taken = new Set<Promise<void>>();
  readonly #told = new Map<Topic, string>();

  /** @param parts The way to the hive. */
  constructor(parts: OrdersLinkParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  /** What a guard needs of it. */
  get acts(): Pick<GuardActs, "askCanary" | "report" | "cursor"> {
    return {
      askCanary: (nonce) => void this.#ask(nonce),
      report: (report) => {
        this.#report = report;
        void this.#send();
      },
      cursor: (highest) => this.#cursor = highest,
    };
  }

  /**
   * Takes orders for a guard until it is ended, or the hive accepts this agent no more.
   *
   * @param guard The guard, which was started.
   */
  async run(guard: Guard): Promise<void> {
    this.#guard = guard;
    const { orders, clock, random } = this.#parts;
    let refusals = 0;
    const downlink = new Downlink({
      orders,
      clock,
      ...(random === undefined ? {} : { random }),
      after: () => this.#cursor,
      onFrame: (bytes) => this.#hand(guard, bytes),
      onOpen: () => {
        refusals = 0;
        this.#tell("line", "orders CONNECTED");
        guard.report();
      },
      onLost: (reason) => this.#tell("line", `orders DISCONNECTED: ${reason}`),
    });
    while (!this.#ending.signal.aborted) {
      try {
        await downlink.run(this.#ending.signal);
      } catch (error) {
        // Between a renewal and its files the old certificate is refused: it is looked again.
        if (++refusals >= REFUSALS_MAX) throw error;
        this.#tell("line", error instanceof Error ? error.message : String(error));
        await this.#wait(REFUSED_WAIT_MS);
      }
    }
  }

  /** Ends it; what the hive has not heard is for the next run. */
  end(): void {
    this.#ending.abort();
  }

  /** Hands a frame on; the next one is read at once while there is room. */
  async #hand(guard: Guard, bytes: Uint8Array): Promise<void> {
    const taken = guard.take(bytes).finally(() => this.#taken.delete(taken));
    this.#taken.add(taken);
    if (this.#taken.size >= FRAMES_TAKEN_MAX) await Promise.race(this.#taken);
  }

  /** One question at a time, at the hive's pace: of those put meanwhile only the newest counts. */
  async #ask(nonce: string): Promise<void> {
    if (nonce === this.#asked) return;
    this.#nonce = nonce;
    if (this.#asking) return;
    this.#asking = true;
    try {
      for (let tries = 0; this.#nonce !== undefined && !this.#ending.signal.aborted; tries++) {
        await this.#wait(this.#paceMs - this.#parts.clock.monotonicMs());
        this.#paceMs = this.#parts.clock.monotonicMs() + CANARY_PACE_MS;
        const asked: string = this.#nonce;
        this.#nonce = undefined;
        this.#asked = asked;
        const isLimited = await this.#question(asked);
        this.#asked = undefined;
        if (isLimited && tries < CANARY_TRIES_MAX) this.#nonce ??= asked;
        else if (isLimited) this.#tell("canary", "No canary: the hive was asked too often");
      }
    } finally {
      this.#asking = false;
    }
  }

  /** Asks for a canary and hands it on; true when the hive was asked too often. */
  async #question(nonce: string): Promise<boolean> {
    try {
      const bytes = await this.#parts.orders.canary(nonce);
      // Where another was put meanwhile the guard takes the answer to that one alone.
      if (this.#nonce === undefined) await this.#guard?.take(bytes);
      this.#told.delete("canary");
    } catch (error) {
      if (error instanceof OrdersRefused && error.limited) return true;
      this.#tell("canary", `No canary: ${ordersFailure(error)}`);
    }
    return false;
  }

  /** One report at a time; a newer one takes the place of what waits. */
  async #send(): Promise<void> {
    if (this.#reporting) return;
    this.#reporting = true;
    try {
      for (let report = this.#take(); report !== undefined; report = this.#take()) {
        await this.#deliver(report);
      }
    } finally {
      this.#reporting = false;
    }
  }

  #take(): ResultReport | undefined {
    const report = this.#report;
    this.#report = undefined;
    return this.#ending.signal.aborted ? undefined : report;
  }

  async #deliver(report: ResultReport): Promise<void> {
    try {
      await this.#parts.orders.report(report);
      this.#backoff.reset();
      this.#told.delete("report");
      this.#guard?.reported(report.results.at(-1)?.sequence ?? 0);
    } catch (error) {
      this.#report ??= report;
      const why = ordersFailure(error);
      this.#tell("report", `The hive did not hear what became of orders: ${why}`);
      await this.#wait(this.#backoff.next());
    }
  }

  async #wait(delayMs: number): Promise<void> {
    if (delayMs <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.setTimer(resolve, delayMs);
    const stop = (): void => resolve();
    this.#ending.signal.addEventListener("abort", stop);
    await promise;
    timer.cancel();
    this.#ending.signal.removeEventListener("abort", stop);
  }

  /** Said when it changes. */
  #tell(topic: Topic, line: string): void {
    if (line !== this.#told.get(topic)) this.#parts.warn(line);
    this.#told.set(topic, line);
  }
}
