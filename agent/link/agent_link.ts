import { ImmuneError } from "../../common/config/errors.ts";
import { statePaths, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { JournalReader } from "../../common/journal/reader.ts";
import { Link, type LinkCounters, type LinkStatus } from "../../common/link/link.ts";
import { HiveTransport } from "../../common/link/transport.ts";
import { readIdentity } from "../enrol/identity.ts";
import { Upkeep } from "./upkeep.ts";

/** Acknowledged positions are handed on at most this often, in milliseconds. */
const ACKNOWLEDGE_INTERVAL_MS = 100;
/** How long a link that is stopped goes on with what is on the disk, in milliseconds. */
export const DRAIN_MS_MAX = 2000;

/** What a link is to do. */
export interface AgentLinkOptions {
  /** State folder of an agent that is enrolled and whose journal is open in another thread. */
  readonly state: string;
  /** Where the journal publishes the last position on the disk: 8 bytes. */
  readonly durable: SharedArrayBuffer;
  /** Milliseconds without anything to send until the hive is asked again. Default 30 s. */
  readonly probeMs?: number;
  /** HTTP proxy to the hive. Default: none. */
  readonly proxy?: string;
}

/** Where a link's reports go. */
export interface AgentLinkHandlers {
  readonly onStatus: (status: LinkStatus, counters: LinkCounters) => void;
  /** Everything up to `position` is durable at the hive: the journal may let it go. */
  readonly onAcknowledged: (position: number) => void;
  readonly onWarning: (message: string) => void;
}

/**
 * Delivers an agent's journal until it is stopped or refused. It runs in its owner's thread, which
 * has little else to do: a thread of its own took 15 MiB (specs/memory.md).
 */
export class AgentLink {
  readonly #ending = new AbortController();
  /**
   * Settled when the link has ended. It is rejected when the hive takes nothing from this agent any
   * more, or the host is not enrolled: detection and the journal go on without it.
   */
  readonly finished: Promise<LinkCounters>;

  /**
   * Starts it. The journal is open by then.
   *
   * @param options What it is to do.
   * @param handlers Where its reports go.
   */
  constructor(options: AgentLinkOptions, handlers: AgentLinkHandlers) {
    this.finished = deliver(options, { handlers, ending: this.#ending.signal });
  }

  /**
   * Asks it to stop: a hive that answers still gets what is on the disk, for two seconds at most;
   * the rest is for the next run.
   */
  stop(): void {
    this.#ending.abort();
  }
}

interface Delivery {
  readonly handlers: AgentLinkHandlers;
  readonly ending: AbortSignal;
}

async function deliver(
  options: AgentLinkOptions,
  { handlers, ending }: Delivery,
): Promise<LinkCounters> {
  const { agent, journal } = statePaths(options.state);
  const identity = readIdentity(agent);
  if (identity === undefined) {
    throw new ImmuneError(
      "ENROLL_REFUSED",
      `Cannot deliver from "${agent}": this host is not enrolled; run "immune enroll"`,
    );
  }
  const { proxy } = options;
  const { onStatus, onAcknowledged, onWarning } = handlers;
  using transport = new HiveTransport({ ...identity, ...(proxy === undefined ? {} : { proxy }) });
  using reader = JournalReader.open(journal, { durable: new BigInt64Array(options.durable) });
  using upkeep = new Upkeep({ identity, folder: agent, transport, clock: SYSTEM_CLOCK, onWarning });
  using acknowledgements = new Acknowledgements(onAcknowledged);
  const link = new Link({
    reader,
    transport,
    clock: SYSTEM_CLOCK,
    ...(options.probeMs === undefined ? {} : { probeMs: options.probeMs }),
    onStatus: (status) => onStatus(status, link.counters),
    onAcknowledged: (position) => acknowledgements.add(position),
    onPins: (pinSet) => upkeep.onPins(pinSet),
    onWarning,
  });
  const stopping = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    timer = setTimeout(() => stopping.abort(), DRAIN_MS_MAX);
  };
  if (ending.aborted) stop();
  ending.addEventListener("abort", stop, { once: true });
  try {
    await link.run(stopping.signal, { ending });
  } finally {
    clearTimeout(timer);
  }
  return link.counters;
}

/** The newest acknowledged position, handed on a few times a second and at the end. */
class Acknowledgements implements Disposable {
  readonly #onAcknowledged: (position: number) => void;
  #position = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onAcknowledged: (position: number) => void) {
    this.#onAcknowledged = onAcknowledged;
  }

  add(position: number): void {
    this.#position = position;
    this.#timer ??= setTimeout(() => this.#tell(), ACKNOWLEDGE_INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#tell();
  }

  #tell(): void {
    this.#timer = undefined;
    this.#onAcknowledged(this.#position);
  }
}
