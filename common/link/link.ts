import type { Clock } from "../config/clock.ts";
import { ImmuneError } from "../config/errors.ts";
import type { JournalReader } from "../journal/mod.ts";
import type { Answer } from "./answer.ts";
import { Backoff } from "./backoff.ts";
import { type Message, Outbox } from "./outbox.ts";
import type { Transport } from "./transport.ts";

/** With nothing to send, the last message is sent again after this long, in milliseconds. */
export const PROBE_INTERVAL_MS = 30_000;

/** How a link stands. */
export type LinkState =
  /** No hive answers; the next attempt comes after a wait. */
  | "DISCONNECTED"
  /** An attempt is under way. */
  | "CONNECTING"
  /** Something answers there; whether it is the hive, the handshake is to show. */
  | "HANDSHAKE"
  /** The last message was stored. */
  | "CONNECTED"
  /** The hive answers and takes nothing, or what answers is not the pinned hive. */
  | "ERROR";

/** How a link stands, and why. */
export interface LinkStatus {
  readonly state: LinkState;
  /** Why, for people; absent when all is well. */
  readonly reason?: string;
  /** The next attempt comes after so many milliseconds; absent when there is none to wait for. */
  readonly retryMs?: number;
}

/** Counters of a link since it was made. */
export interface LinkCounters {
  /** Messages that were sent, repeated ones included. */
  readonly messages: number;
  /** Bytes of them. */
  readonly bytes: number;
  /** Attempts that came to nothing. */
  readonly failures: number;
  /** Records that the hive will never take. */
  readonly refusedRecords: number;
  /** Times that the hive asked for another position. */
  readonly gaps: number;
  /** Losses that found no room to wait for a message. */
  readonly lossesTurnedAway: number;
}

/** What a link is made of. */
export interface LinkParts {
  /** The journal; the link alone reads from it. */
  readonly reader: JournalReader;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Numbers in [0, 1) for the jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds without anything to send until the hive is asked again. Default 30 s. */
  readonly probeMs?: number;
  readonly onStatus: (status: LinkStatus) => void;
  /** Everything up to `position` is durable at the hive. */
  readonly onAcknowledged: (position: number) => void;
  /** The hive says what agents are to pin, by its `pinSetId`. Default: nobody listens. */
  readonly onPins?: (pinSet: string) => void;
  /** Told what an operator should know: records that are refused or missing. */
  readonly onWarning: (message: string) => void;
}

/**
 * Takes a journal to a hive: in order, one message at a time, until it is stopped. What fails is
 * tried again after a jittered wait, from the last acknowledged position; at least once, and the
 * hive tells what it has already.
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #outbox: Outbox;
  readonly #backoff: Backoff;
  #state: LinkState = "DISCONNECTED";
  #last: Message | undefined;
  #gapsInRow = 0;
  #counts = { messages: 0, bytes: 0, failures: 0, refusedRecords: 0, gaps: 0 };

  /** @param parts Journal, way to the hive, clock and where findings go. */
  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#outbox = new Outbox(parts.reader);
    this.#backoff = new Backoff(parts.random);
  }

  /** Counters so far. */
  get counters(): LinkCounters {
    return { ...this.#counts, lossesTurnedAway: this.#outbox.lossesTurnedAway };
  }

  /**
   * Delivers until the signal.
   *
   * @param signal Ends it at once; a message under way is given up and sent again by the next run.
   * @param options `ending`: ends it when all that is on the disk was delivered, or at the first
   * failure. Default: never.
   * @throws {ImmuneError} `CERTIFICATE_REFUSED` when the hive takes nothing from this agent any
   * more, `JOURNAL_CORRUPT` when it has positions that the journal never gave out.
   */
  async run(
    signal: AbortSignal,
    options: { readonly ending?: AbortSignal } = {},
  ): Promise<void> {
    const ending = options.ending ?? signal;
    const waits = AbortSignal.any([signal, ending]);
    let message: Message | undefined;
    while (!signal.aborted) {
      message ??= this.#outbox.next();
      if (message === undefined) {
        if (ending.aborted) return;
        message = await this.#idle(waits);
        continue;
      }
      const answer = await this.#greeted(signal) ?? await this.#posted(message, signal);
      if (signal.aborted) return;
      if (await this.#settled(message, { answer, signal: waits })) message = undefined;
      if (ending.aborted && this.#state !== "CONNECTED") return;
    }
  }

  /** Before the first message over a new way: who is there. */
  async #greeted(signal: AbortSignal): Promise<Answer | undefined> {
    if (this.#state === "CONNECTED") return undefined;
    this.#report({ state: "CONNECTING" });
    const { transport } = this.#parts;
    return await transport.greet?.(signal, () => this.#report({ state: "HANDSHAKE" }));
  }

  #posted(message: Message, signal: AbortSignal): Promise<Answer> {
    this.#counts.messages++;
    this.#counts.bytes += message.bytes.length;
    return this.#parts.transport.post(message.bytes, signal);
  }

  /** Waits for more; after a long wait the last message asks whether the hive is still there. */
  async #idle(signal: AbortSignal): Promise<Message | undefined> {
    const { reader, probeMs = PROBE_INTERVAL_MS } = this.#parts;
    const more = await reader.more(probeMs, { signal });
    return more || signal.aborted ? undefined : this.#last;
  }

  /** Acts on an answer; false when the same message is to be sent again. */
  async #settled(
    message: Message,
    { answer, signal }: { readonly answer: Answer; readonly signal: AbortSignal },
  ): Promise<boolean> {
    switch (answer.type) {
      case "stored":
        if (this.#isStored(message, answer)) return true;
        await this.#fail("ERROR", { reason: "The hive acknowledged another message", signal });
        return false;
      case "gap":
        return await this.#seek(answer, signal);
      case "refused":
        return await this.#refused(message, { reason: answer.reason, signal });
      case "forbidden":
        throw this.#end("CERTIFICATE_REFUSED", `The hive takes nothing more: ${answer.reason}`);
      case "busy":
        await this.#fail("ERROR", { reason: answer.reason, signal });
        return false;
      case "unreachable":
        await this.#fail("DISCONNECTED", { reason: answer.reason, signal });
        return false;
      case "unpinned":
        // It may be somebody in between, for a while: the journal waits for the hive.
        await this.#fail("ERROR", { reason: answer.reason, signal });
        return false;
    }
  }

  #isStored(
    message: Message,
    { journalId, position, pins }: Extract<Answer, { type: "stored" }>,
  ): boolean {
    const { reader, onAcknowledged } = this.#parts;
    if (journalId !== reader.journalId || position < message.last) return false;
    this.#checkNotAhead(position);
    // The last message once more was only a question.
    if (message !== this.#last) this.#outbox.settle(message, position);
    this.#last = message;
    this.#gapsInRow = 0;
    this.#backoff.reset();
    onAcknowledged(position);
    if (pins !== undefined) this.#parts.onPins?.(pins);
    this.#report({ state: "CONNECTED" });
    return true;
  }

  /** Goes where the hive asks to; the second time in a row it waits first. */
  async #seek(
    { expected, reason }: Extract<Answer, { type: "gap" }>,
    signal: AbortSignal,
  ): Promise<boolean> {
    this.#checkNotAhead(expected - 1);
    this.#counts.gaps++;
    if (++this.#gapsInRow > 1) await this.#fail("ERROR", { reason, signal });
    const { reader, onWarning } = this.#parts;
    const gone = Math.min(reader.oldest, reader.position) - expected;
    onWarning(
      `The hive asks for position ${expected}` +
        (gone > 0 ? `; ${gone} records from there on are not in the journal any more` : ""),
    );
    this.#outbox.seek(expected);
    return true;
  }

  /** A message that is refused is taken apart; what stays refused is left out as a loss. */
  async #refused(
    message: Message,
    { reason, signal }: { readonly reason: string; readonly signal: AbortSignal },
  ): Promise<boolean> {
    if (message.joined > 1) {
      this.#outbox.separate(message);
      return true;
    }
    const count = message.last - message.first + 1;
    this.#counts.refusedRecords += count;
    this.#parts.onWarning(
      `The hive refuses positions ${message.first} to ${message.last} (${reason}); ` +
        `${count} records are left out and counted as lost`,
    );
    this.#outbox.skip(message);
    // Never faster than one message a wait: a hive that refuses all must not empty the journal.
    await this.#fail("ERROR", { reason, signal });
    return true;
  }

  #checkNotAhead(position: number): void {
    const { reader } = this.#parts;
    if (position <= reader.durable) return;
    throw this.#end(
      "JOURNAL_CORRUPT",
      `The hive has position ${position} of journal "${reader.journalId}", which ends at ` +
        `${reader.durable} here: it was set back; move its folder away to begin a new one`,
    );
  }

  async #fail(
    state: "DISCONNECTED" | "ERROR",
    { reason, signal }: { readonly reason: string; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#counts.failures++;
    const retryMs = this.#backoff.next();
    this.#report({ state, reason, retryMs });
    await this.#wait(retryMs, signal);
  }

  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    const timer = this.#parts.clock.setTimer(stop, delayMs);
    signal.addEventListener("abort", stop);
    await promise;
    timer.cancel();
    signal.removeEventListener("abort", stop);
  }

  #end(code: "CERTIFICATE_REFUSED" | "JOURNAL_CORRUPT", message: string): ImmuneError {
    this.#report({ state: "ERROR", reason: message });
    return new ImmuneError(code, message);
  }

  #report(status: LinkStatus): void {
    if (status.state === this.#state && status.reason === undefined) return;
    this.#state = status.state;
    this.#parts.onStatus(status);
  }
}
