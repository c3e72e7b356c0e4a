import { ImmuneError } from "../../common/config/errors.ts";
import type { EcsDocument } from "../../common/record/mod.ts";
import {
  CONTROL,
  DOCUMENTS_IN_FLIGHT_MAX,
  type PipelineCommand,
  type PipelineOptions,
  type PipelineReport,
} from "./messages.ts";
import { openPipeline, type RunningPipeline } from "./open.ts";

/** Longest wait of one poll, in milliseconds: also the longest that a command waits. */
const POLL_TIMEOUT_MS = 100;
/** How often the loss ledger is brought up to date, in milliseconds. */
const LEDGER_INTERVAL_MS = 1000;

/**
 * The pipeline's Worker: waits for its start, then polls until it is stopped. Commands are looked
 * for between two polls, and only when the control word says that one waits.
 */
export async function servePipeline(): Promise<void> {
  const commands: PipelineCommand[] = [];
  const arrived = new EventTarget();
  self.onmessage = ({ data }: MessageEvent<PipelineCommand>) => {
    commands.push(data);
    arrived.dispatchEvent(new Event("command"));
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
  await new Promise((resolve) => arrived.addEventListener("command", resolve, { once: true }));
  const start = commands.shift();
  if (start?.type !== "start") throw new TypeError("The pipeline's first command is its start");
  try {
    await run(start.options, { control: new Int32Array(start.control), commands, handled: 1 });
  } catch (error) {
    const code = error instanceof ImmuneError ? error.code : "INTERNAL";
    report({
      type: "failed",
      code,
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

interface Mailbox {
  readonly control: Int32Array;
  readonly commands: PipelineCommand[];
  /** Commands taken so far, the start included. */
  handled: number;
}

async function run(options: PipelineOptions, mailbox: Mailbox): Promise<void> {
  const documents = new DocumentWindow();
  using running = await openPipeline(options, {
    onAlert: (alert) => report({ type: "alert", alert }),
    onWarning: (message) => report({ type: "warning", message }),
    ...(options.documents ? { onDocument: (document) => documents.add(document) } : {}),
  });
  report({ type: "started", watchesNotSet: running.watchesNotSet, note: running.note });
  await poll(running, { mailbox, documents });
  // What the sensor still holds is taken too, so that the counters add up.
  while (running.pipeline.step(0) > 0) documents.flush();
  finish(running, documents);
}

async function poll(
  running: RunningPipeline,
  { mailbox, documents }: { readonly mailbox: Mailbox; readonly documents: DocumentWindow },
): Promise<void> {
  let reconciledAt = performance.now();
  for (;;) {
    running.pipeline.step(POLL_TIMEOUT_MS);
    running.tick();
    documents.flush();
    const now = performance.now();
    if (now - reconciledAt >= LEDGER_INTERVAL_MS) {
      reconciledAt = now;
      reportLosses(running);
    }
    for (const command of await newCommands(mailbox)) {
      if (command.type === "stop") return;
      if (command.type === "taken") documents.taken(command.documents);
    }
  }
}

/**
 * Commands that were sent since the last look. One that was sent may take some turns of the event
 * loop to arrive: it is waited for, or it would lie there until the next one is sent.
 */
async function newCommands(mailbox: Mailbox): Promise<readonly PipelineCommand[]> {
  const sent = Atomics.load(mailbox.control, CONTROL.sent);
  while (mailbox.handled + mailbox.commands.length < sent) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  mailbox.handled += mailbox.commands.length;
  return mailbox.commands.splice(0);
}

function finish(running: RunningPipeline, documents: DocumentWindow): void {
  reportLosses(running);
  running.flush();
  const { records, alerts, masked, lost } = running.pipeline;
  report({
    type: "stopped",
    counters: {
      records,
      alerts,
      masked,
      lost,
      journaled: running.journaled(),
      documentsDropped: documents.dropped,
    },
  });
}

function reportLosses(running: RunningPipeline): void {
  const losses = running.pipeline.reconcile();
  if (losses.length > 0) report({ type: "losses", losses });
}

/** Documents on their way to the owner: at most so many at once, the rest is counted. */
class DocumentWindow {
  readonly #waiting: EcsDocument[] = [];
  #inFlight = 0;
  #dropped = 0;

  get dropped(): number {
    return this.#dropped;
  }

  add(document: EcsDocument): void {
    if (this.#inFlight + this.#waiting.length >= DOCUMENTS_IN_FLIGHT_MAX) this.#dropped++;
    else this.#waiting.push(document);
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const documents = this.#waiting.splice(0);
    this.#inFlight += documents.length;
    report({ type: "documents", documents });
  }

  taken(documents: number): void {
    this.#inFlight -= documents;
  }
}

function report(message: PipelineReport): void {
  // deno-lint-ignore no-explicit-any -- the worker's own global scope, which lib "deno.window" hides
  (self as any).postMessage(message);
}
