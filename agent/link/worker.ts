import { ImmuneError, statePaths, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { JournalReader } from "../../common/journal/reader.ts";
import { Link, type LinkCounters } from "../../common/link/link.ts";
import { HiveTransport } from "../../common/link/transport.ts";
import { readIdentity } from "../enrol/identity.ts";
import type { LinkCommand, LinkOptions, LinkReport } from "./messages.ts";
import { Upkeep } from "./upkeep.ts";

/** Acknowledged positions are handed on at most this often, in milliseconds. */
const ACKNOWLEDGE_INTERVAL_MS = 100;
/** How long a link that is stopped goes on with what is on the disk, in milliseconds. */
export const DRAIN_MS_MAX = 2000;

/**
 * The link's Worker: waits for its start, then delivers until it is stopped or refused. When it is
 * stopped, a hive that answers still gets what is on the disk, for a moment.
 */
export async function serveLink(): Promise<void> {
  const ending = new AbortController();
  const { promise: started, resolve: start } = Promise.withResolvers<LinkOptions>();
  self.onmessage = ({ data }: MessageEvent<LinkCommand>) => {
    if (data.type === "start") start(data.options);
    else ending.abort();
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
  try {
    report({ type: "stopped", counters: await deliver(await started, ending.signal) });
  } catch (error) {
    const code = error instanceof ImmuneError ? error.code : "INTERNAL";
    const message = error instanceof Error ? error.message : String(error);
    report({ type: "failed", code, message });
  }
}

async function deliver(options: LinkOptions, ending: AbortSignal): Promise<LinkCounters> {
  const { agent, journal } = statePaths(options.state);
  const identity = readIdentity(agent);
  if (identity === undefined) {
    throw new ImmuneError(
      "ENROLL_REFUSED",
      `Cannot deliver from "${agent}": this host is not enrolled; run "immune enroll"`,
    );
  }
  const { proxy } = options;
  using transport = new HiveTransport({ ...identity, ...(proxy === undefined ? {} : { proxy }) });
  using reader = JournalReader.open(journal, { durable: new BigInt64Array(options.durable) });
  using upkeep = new Upkeep({
    identity,
    folder: agent,
    transport,
    clock: SYSTEM_CLOCK,
    onWarning: (message) => report({ type: "warning", message }),
  });
  using acknowledgements = new Acknowledgements();
  const link = new Link({
    reader,
    transport,
    clock: SYSTEM_CLOCK,
    ...(options.probeMs === undefined ? {} : { probeMs: options.probeMs }),
    onStatus: (status) => report({ type: "status", status, counters: link.counters }),
    onAcknowledged: (position) => acknowledgements.add(position),
    onPins: (pinSet) => upkeep.onPins(pinSet),
    onWarning: (message) => report({ type: "warning", message }),
  });
  const stopping = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    timer = setTimeout(() => stopping.abort(), DRAIN_MS_MAX);
  };
  if (ending.aborted) stop();
  ending.addEventListener("abort", stop, { once: true });
  await link.run(stopping.signal, { ending });
  clearTimeout(timer);
  return link.counters;
}

/** The newest acknowledged position, handed on a few times a second and at the end. */
class Acknowledgements implements Disposable {
  #position = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  add(position: number): void {
    this.#position = position;
    this.#timer ??= setTimeout(() => this.#send(), ACKNOWLEDGE_INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#send();
  }

  #send(): void {
    this.#timer = undefined;
    report({ type: "acknowledged", position: this.#position });
  }
}

function report(message: LinkReport): void {
  // deno-lint-ignore no-explicit-any -- the worker's own global scope, which lib "deno.window" hides
  (self as any).postMessage(message);
}
