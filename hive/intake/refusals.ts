import { type Clock, SYSTEM_CLOCK } from "../../common/config/clock.ts";
import { REFUSAL_LINES_PER_SECOND_MAX } from "./bounds.ts";

/** Why the agents' port turns somebody away. The names are those of the metric's label. */
export const REFUSALS = [
  /** A handshake without a client certificate. */
  "no_certificate",
  /** A certificate that is foreign, ran out or is not for clients: TLS tells them apart badly. */
  "bad_certificate",
  /** TLS 1.2 or older. */
  "tls_version",
  /** A resumed session: its certificate was not checked now. */
  "resumed",
  /** A handshake that was not TLS, broke off or took too long. */
  "handshake",
  /** Too many connections, of all or with one certificate. */
  "connections",
  /** A certificate of ours that is in no row of the store. */
  "not_enrolled",
  /** A certificate that was revoked. */
  "revoked",
  /** A batch that carries another host's id. */
  "mismatch",
  /** A request that is no HTTP, is over its time, or asks for what is not there. */
  "request",
  /** A body that is no whole batch. */
  "malformed",
  /** A body over the bound. */
  "too_large",
  /** A gap that the loss ledger does not name. */
  "gap",
  /** More at a time than the bounded queue takes. */
  "queue_full",
  /** A word that the herd does not take. */
  "herd",
  /** The store did not take it. */
  "store",
] as const;

/** Name of a reason. */
export type Refusal = (typeof REFUSALS)[number];

/** Counts by reason, every reason there. */
export type RefusalCounts = Readonly<Record<Refusal, number>>;

/** Options of {@linkcode Refusals}. */
export interface RefusalsOptions {
  /** Takes a line for the log, at most 20 a second. Default: none. */
  readonly onLine?: (line: string) => void;
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** Counts refusals and says them, without letting those who are refused fill the log. */
export class Refusals {
  readonly #counts = new Map<Refusal, number>(REFUSALS.map((reason) => [reason, 0]));
  readonly #onLine: (line: string) => void;
  readonly #clock: Clock;
  #second = 0;
  #linesInSecond = 0;
  #unsaid = 0;

  /** @param options Where lines go. */
  constructor(options: RefusalsOptions = {}) {
    this.#onLine = options.onLine ?? ((): void => {});
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /**
   * Counts one.
   *
   * @param reason Why.
   * @param who Who was refused and what there is to say, for the log.
   */
  add(reason: Refusal, who: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesInSecond = 0;
    }
    if (this.#linesInSecond >= REFUSAL_LINES_PER_SECOND_MAX) {
      this.#unsaid++;
      return;
    }
    this.#linesInSecond++;
    const before = this.#unsaid > 0 ? ` (${this.#unsaid} refusals before it are not listed)` : "";
    this.#unsaid = 0;
    this.#onLine(`Refused ${who}: ${reason}${before}`);
  }

  /**
   * Says something that is no refusal.
   *
   * @param line One line for the log.
   */
  tell(line: string): void {
    this.#onLine(line);
  }

  /** All counts. */
  counts(): RefusalCounts {
    return Object.fromEntries(this.#counts) as Record<Refusal, number>;
  }
}
