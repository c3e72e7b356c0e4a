import type { Clock } from "../../common/config/clock.ts";
import {
  type DirectiveStream,
  encodeFrame,
  EVERY_HOST,
  KEEP_ALIVE,
} from "../../common/wire/mod.ts";
import { DIRECTIVES_PER_ANSWER_MAX, type DirectiveStore } from "../store/directive_store.ts";
import type { CheckedCertificate } from "../trust/client_certificate.ts";
import {
  DOWNLINK_CHECK_MS,
  DOWNLINK_KEEP_ALIVE_MS,
  DOWNLINK_QUEUE_BYTES_MAX,
  DOWNLINK_QUEUE_FRAMES_MAX,
  DOWNLINKS_PER_AGENT_MAX,
} from "./bounds.ts";

/** A directive that goes out to those who are connected. */
export interface Published {
  readonly stream: DirectiveStream;
  readonly number: number;
  readonly target: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Whose downlink it is. */
export interface DownlinkOwner {
  readonly agentId: string;
  readonly hostId: string;
  readonly certificate: CheckedCertificate;
  /** Highest numbers that it has. */
  readonly after: Readonly<Record<DirectiveStream, number>>;
}

/** What the downlinks count. */
export interface DownlinkCounters {
  /** Open now. */
  readonly downlinks: number;
  /** Frames with a directive that were handed to a connection. */
  readonly frames: number;
  /** Ended because their reader was too slow. */
  readonly slow: number;
  /** Ended because the same agent opened another. */
  readonly replaced: number;
  /** Ended because the certificate has ended. */
  readonly ended: number;
}

interface Outgoing {
  readonly published: Pick<Published, "stream" | "number">;
  readonly frame: Uint8Array<ArrayBuffer>;
}

interface Link extends DownlinkOwner {
  /** What was published while the store is asked for what is older; `undefined` = it is not. */
  held: Outgoing[] | undefined;
  /** True when the store had more than one answer holds: it ends when these are sent. */
  drains: boolean;
  readonly frames: Uint8Array<ArrayBuffer>[];
  bytes: number;
  /** Highest number that was sent or queued, by stream. */
  readonly sent: Record<DirectiveStream, number>;
  wake: (() => void) | undefined;
  ended: boolean;
}

/** Options of {@linkcode Downlinks}. */
export interface DownlinksOptions {
  readonly store: Pick<DirectiveStore, "directivesFor">;
  readonly clock: Clock;
  /** Told of what was ended and why, one line for the log. Default: nobody. */
  readonly onLine?: (line: string) => void;
}

/** The open downlinks of all agents. What waits for one is bounded: who is too slow begins anew. */
export class Downlinks {
  readonly #options: DownlinksOptions;
  readonly #links = new Map<string, Link[]>();
  #counts = { frames: 0, slow: 0, replaced: 0, ended: 0 };
  #checking: { cancel(): void } | undefined;
  #keptAtMs: number;
  #stopped = false;

  /** @param options Store, clock and log. */
  constructor(options: DownlinksOptions) {
    this.#options = options;
    this.#keptAtMs = options.clock.monotonicMs();
  }

  /** What it counts. */
  counters(): DownlinkCounters {
    let downlinks = 0;
    for (const links of this.#links.values()) downlinks += links.length;
    return { downlinks, ...this.#counts };
  }

  /**
   * Opens a downlink: what its host has not seen comes first.
   *
   * @param owner Whose it is.
   * @returns Its frames, until it is ended by either side.
   */
  async open(owner: DownlinkOwner): Promise<ReadableStream<Uint8Array>> {
    const link: Link = {
      ...owner,
      held: [],
      drains: false,
      frames: [],
      bytes: 0,
      sent: { ...owner.after },
      wake: undefined,
      ended: this.#stopped,
    };
    const others = this.#links.get(owner.agentId) ?? [];
    if (others.length >= DOWNLINKS_PER_AGENT_MAX) {
      const [oldest] = others;
      if (oldest !== undefined) this.#end(oldest, "replaced");
    }
    // Taken up before the store is asked, so that nothing falls in between.
    this.#links.set(owner.agentId, [...this.#links.get(owner.agentId) ?? [], link]);
    // That it is open is said at once.
    this.#push(link, KEEP_ALIVE);
    this.#checking ??= this.#options.clock.setTimer(() => this.#check(), DOWNLINK_CHECK_MS);
    try {
      await this.#catchUp(link);
    } catch (error) {
      this.#forget(link);
      throw error;
    }
    return this.#stream(link);
  }

  /**
   * Sends a directive to those whom it is for.
   *
   * @param published The directive.
   */
  publish(published: Published): void {
    const frame = encodeFrame(published.bytes);
    for (const links of this.#links.values()) {
      for (const link of links) {
        if (published.target === EVERY_HOST || published.target === link.hostId) {
          this.#offer(link, { published, frame });
        }
      }
    }
  }

  /** Ends all, and every one that is opened later. */
  stop(): void {
    this.#stopped = true;
    this.#checking?.cancel();
    for (const links of this.#links.values()) for (const link of links) this.#close(link);
  }

  async #catchUp(link: Link): Promise<void> {
    const { hostId, after } = link;
    const nowMs = this.#options.clock.nowMs();
    const rows = await this.#options.store.directivesFor({ hostId, after, nowMs });
    for (const row of rows) this.#queue(link, { published: row, frame: encodeFrame(row.bytes) });
    const held = link.held ?? [];
    link.held = undefined;
    // What is newer must not come before what did not fit: it comes with the next downlink.
    link.drains = rows.length >= DIRECTIVES_PER_ANSWER_MAX;
    for (const outgoing of held) this.#offer(link, outgoing);
  }

  #offer(link: Link, outgoing: Outgoing): void {
    if (link.drains) return;
    if (link.held === undefined) this.#queue(link, outgoing);
    else if (link.held.length < DOWNLINK_QUEUE_FRAMES_MAX) link.held.push(outgoing);
    else this.#end(link, "slow");
  }

  #queue(link: Link, { published: { stream, number }, frame }: Outgoing): void {
    if (number <= link.sent[stream]) return;
    link.sent[stream] = number;
    this.#push(link, frame);
  }

  #push(link: Link, frame: Uint8Array<ArrayBuffer>): void {
    if (link.ended) return;
    const isFull = link.frames.length >= DOWNLINK_QUEUE_FRAMES_MAX ||
      link.bytes + frame.length > DOWNLINK_QUEUE_BYTES_MAX;
    if (isFull) return this.#end(link, "slow");
    link.frames.push(frame);
    link.bytes += frame.length;
    link.wake?.();
  }

  #stream(link: Link): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        while (link.frames.length === 0 && !link.ended && !link.drains) {
          await new Promise<void>((resolve) => link.wake = resolve);
        }
        const frame = link.frames.shift();
        if (frame === undefined || link.ended) {
          this.#close(link);
          return controller.close();
        }
        link.bytes -= frame.length;
        if (frame.length > KEEP_ALIVE.length) this.#counts.frames++;
        controller.enqueue(frame);
      },
      cancel: () => this.#close(link),
    }, { highWaterMark: 0 });
  }

  /**
   * Ends those whose certificate has ended, and tells whoever is silent that the line holds. One
   * that was revoked needs no look here: its connection is cut off (listener.ts).
   */
  #check(): void {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    for (const link of [...this.#links.values()].flat()) {
      if (link.certificate.notAfterMs <= nowMs) this.#end(link, "ended");
    }
    this.#keepAlive();
    if (this.#stopped) return;
    const isIdle = this.#links.size === 0;
    this.#checking = isIdle ? undefined : clock.setTimer(() => this.#check(), DOWNLINK_CHECK_MS);
  }

  #keepAlive(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#keptAtMs < DOWNLINK_KEEP_ALIVE_MS) return;
    this.#keptAtMs = nowMs;
    for (const links of this.#links.values()) {
      for (const link of links) if (link.frames.length === 0) this.#push(link, KEEP_ALIVE);
    }
  }

  #end(link: Link, why: "slow" | "replaced" | "ended"): void {
    if (link.ended) return;
    this.#counts[why]++;
    this.#options.onLine?.(`Ended the downlink of agent ${link.agentId}: ${why}`);
    this.#close(link);
  }

  #close(link: Link): void {
    link.ended = true;
    link.wake?.();
    this.#forget(link);
  }

  #forget(link: Link): void {
    const left = (this.#links.get(link.agentId) ?? []).filter((other) => other !== link);
    if (left.length === 0) this.#links.delete(link.agentId);
    else this.#links.set(link.agentId, left);
  }
}
