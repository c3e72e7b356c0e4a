import { ImmuneError } from "../../common/config/errors.ts";
import type { EcsDocument } from "../../common/record/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import {
  ALERTS_IN_FLIGHT_MAX,
  CONTROL,
  DOCUMENTS_IN_FLIGHT_MAX,
  type PipelineCommand,
  type PipelineOptions,
  type PipelineReport,
} from "./messages.ts";
import { openPipeline, type RunningPipeline } from "./open.ts";
import type { ReconcileOptions } from "./pipeline.ts";
import { Window } from "./window.ts";

/** Longest wait of one poll, in milliseconds: also the longest that a command waits. */
const POLL_TIMEOUT_MS = 100;
/** How often it is put down how the agent does, in milliseconds: also the agent's heartbeat. */
export const HEALTH_INTERVAL_MS = 15_000;
/** How often the loss ledger is brought up to date, in milliseconds. */
const LEDGER_INTERVAL_MS = 1000;
/** One turn of the ledger in so many asks what each program missed. */
const LEDGER_TURNS_WITH_PROGRAMS = 5;

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

/** What goes to a reader that may be slow. */
interface Outlets {
  readonly alerts: Window<Alert>;
  readonly documents: Window<EcsDocument>;
}

interface Mailbox {
  readonly control: Int32Array;
  readonly commands: PipelineCommand[];
  /** Commands taken so far, the start included. */
  handled: number;
}

async function run(options: PipelineOptions, mailbox: Mailbox): Promise<void> {
  const outlets: Outlets = {
    alerts: new Window(ALERTS_IN_FLIGHT_MAX, (alerts) => report({ type: "alerts", alerts })),
    documents: new Window(
      DOCUMENTS_IN_FLIGHT_MAX,
      (documents) => report({ type: "documents", documents }),
    ),
  };
  using running = await openPipeline(options, {
    onAlert: (alert) => outlets.alerts.add(alert),
    onWarning: (message) => report({ type: "warning", message }),
    ...(options.documents ? { onDocument: (document) => outlets.documents.add(document) } : {}),
  });
  report({ type: "started", ...running.started });
  const release = await poll(running, { mailbox, outlets });
  // What the sensor still holds is taken too, so that the counters add up to the last record.
  running.endRecords();
  while (running.pipeline.step(0) > 0) flush(outlets);
  finish(running, { outlets, release });
}

/** Polls until it is stopped; whether pins are to be taken away then. */
async function poll(
  running: RunningPipeline,
  { mailbox, outlets }: { readonly mailbox: Mailbox; readonly outlets: Outlets },
): Promise<boolean> {
  let reconciledAt = performance.now();
  let turns = 0;
  let healthAt = -Infinity;
  for (;;) {
    running.pipeline.step(running.isReloading ? 0 : POLL_TIMEOUT_MS);
    running.tick();
    stepReload(running);
    flush(outlets);
    const now = performance.now();
    if (now - reconciledAt >= LEDGER_INTERVAL_MS) {
      reconciledAt = now;
      reportLosses(running, { withPrograms: turns++ % LEDGER_TURNS_WITH_PROGRAMS === 0 });
    }
    if (now - healthAt >= HEALTH_INTERVAL_MS) {
      healthAt = now;
      running.pipeline.tellHealth();
    }
    for (const command of await newCommands(mailbox)) {
      if (command.type === "stop") return command.release;
      if (command.type === "acknowledged") running.acknowledge(command.position);
      if (command.type === "reload") reload(running, command);
      if (command.type === "blocking") {
        report({ type: "blocking", refuses: running.blocking(command.wanted) });
      }
      if (command.type === "programs") report({ type: "programs", loaded: running.programs() });
      if (command.type !== "taken") continue;
      outlets.alerts.taken(command.alerts);
      outlets.documents.taken(command.documents);
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

/** Rules that cannot come into force are told; those that are stay. */
function reload(
  running: RunningPipeline,
  change: Extract<PipelineCommand, { type: "reload" }>,
): void {
  keepingRules(() => running.reload(change));
}

function stepReload(running: RunningPipeline): void {
  keepingRules(() => {
    const reloaded = running.stepReload();
    if (reloaded !== undefined) report({ type: "reloaded", ...reloaded });
  });
}

function keepingRules(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ImmuneError)) throw error;
    report({ type: "warning", message: `${error.message}; the rules in force stay` });
    report({ type: "kept", message: error.message });
  }
}

function flush({ alerts, documents }: Outlets): void {
  alerts.flush();
  documents.flush();
}

function finish(
  running: RunningPipeline,
  { outlets, release }: { readonly outlets: Outlets; readonly release: boolean },
): void {
  reportLosses(running, { isLast: true });
  running.pipeline.tellHealth();
  running.flush();
  const { records, alerts, masked, lost } = running.pipeline;
  const journaled = running.journaled();
  // Told only when the kernel has let go of the programs, or did not.
  const detached = running.detach(release);
  report({
    type: "stopped",
    counters: {
      records,
      alerts,
      masked,
      lost,
      journaled,
      documentsDropped: outlets.documents.dropped,
      alertsDropped: outlets.alerts.dropped,
    },
    detached,
  });
}

function reportLosses(running: RunningPipeline, options: ReconcileOptions): void {
  const losses = running.pipeline.reconcile(options);
  if (losses.length > 0) report({ type: "losses", losses });
}

function report(message: PipelineReport): void {
  // deno-lint-ignore no-explicit-any -- the worker's own global scope, which lib "deno.window" hides
  (self as any).postMessage(message);
}
