import { resolve } from "node:path";
import type { LinkWorker } from "../agent/link/owner.ts";
import { compileApart } from "../agent/rules/compile.ts";
import type { CompiledRules } from "../agent/rules/messages.ts";
import type { PipelineCounters } from "../agent/pipeline/messages.ts";
import type { ReloadedPolicy } from "../agent/pipeline/open.ts";
import { PipelineWorker } from "../agent/pipeline/owner.ts";
import {
  checkHost,
  findingLine,
  hostFacts,
  type Policy,
  type Watch,
} from "../agent/sensors/mod.ts";
import { type Config, ImmuneError, type LoadedConfig } from "../common/config/mod.ts";
import type { EcsDocument, KindName } from "../common/record/mod.ts";
import { type Alert, type Loss, lossCause } from "../common/wire/mod.ts";
import { DURABLE_BYTES, startDelivery } from "./delivery.ts";
import { rulePaths } from "./rules.ts";
import { endSignals, onReloadSignal } from "./signals.ts";

/** What a run with the sensor does, and where its findings go. */
export interface SensorRun {
  /** Keep records and alerts in the state folder. */
  readonly journal: boolean;
  /** Match rules. */
  readonly rules: boolean;
  /** Deliver the journal to the hive that this host is enrolled with. Default false. */
  readonly deliver?: boolean;
  /** Kinds to report; default those that the rules need. */
  readonly kinds?: readonly KindName[];
  readonly onReady: (ready: {
    readonly rules: CompiledRules | undefined;
    readonly note: string;
  }) => void;
  /** Settled when they are shown; a rejection ends the run. */
  readonly onAlerts?: (alerts: readonly Alert[]) => Promise<void>;
  /** Settled when they are shown; a rejection ends the run. */
  readonly onDocuments?: (documents: readonly EcsDocument[]) => Promise<void>;
  readonly onWarning: (message: string) => void;
  /** Called when other rules are in force. */
  readonly onReloaded?: (reloaded: ReloadedPolicy) => void;
}

/**
 * Runs the sensor until a signal ends it.
 *
 * @param settings The configuration.
 * @param run What to do.
 * @returns What the pipeline has done.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` with a line for each thing that this host lacks.
 * @throws {Error} what `onAlerts` or `onDocuments` rejected with.
 */
export async function runSensor(
  settings: LoadedConfig,
  run: SensorRun,
): Promise<PipelineCounters> {
  const { values } = settings;
  const facts = checkedFacts(values, run);
  const rules = run.rules ? await compileApart(rulePaths(values)) : undefined;
  const reload = (): Promise<void> => reloadRules(worker, { settings, run });
  const durable = new SharedArrayBuffer(DURABLE_BYTES);
  let link: LinkWorker | undefined;
  const worker = new PipelineWorker({
    durable,
    sensor: {
      btf: values.sensor.btf,
      lifecycleRingBytes: values.sensor.lifecycle_ring_bytes,
      bulkRingBytes: values.sensor.bulk_ring_bytes,
    },
    policy: policyOf(values, { rules, kinds: run.kinds }),
    ...(rules && { rules }),
    ...(run.journal ? { state: values.state.dir } : {}),
    journal: {
      segmentBytes: values.journal.segment_bytes,
      totalBytes: values.journal.total_bytes,
      flushMs: values.journal.flush_ms,
    },
    hostId: "",
    hostName: Deno.hostname(),
    bootId: facts.bootId.replaceAll("-", ""),
    documents: run.onDocuments !== undefined,
  }, {
    onStarted: ({ watchesNotSet, note }) => {
      if (watchesNotSet > 0) run.onWarning(`${watchesNotSet} watches could not be set`);
      if (run.deliver) {
        const { onWarning } = run;
        const onAcknowledged = (position: number): void => worker.acknowledged(position);
        link = startDelivery({ state: values.state.dir, durable, onAcknowledged, onWarning });
      }
      run.onReady({ rules, note });
    },
    onAlerts: (alerts) => run.onAlerts?.(alerts) ?? Promise.resolve(),
    onDocuments: (documents) => run.onDocuments?.(documents) ?? Promise.resolve(),
    onLosses: (losses) => run.onWarning(lossLine(losses)),
    onWarning: run.onWarning,
    onReloaded: (reloaded) => run.onReloaded?.(reloaded),
  });
  using _reloading = run.rules ? onReloadSignal(reload) : undefined;
  try {
    return await untilSignal(worker);
  } finally {
    link?.stop();
    // What it rejects with was told when it happened.
    await link?.finished.catch(() => undefined);
  }
}

/**
 * One line that says what a reload came to.
 *
 * @param reloaded What is in force.
 */
export function reloadedLine({ rules, hash, pauseMs, watchesNotSet }: ReloadedPolicy): string {
  const watches = watchesNotSet === 0 ? "" : `, ${watchesNotSet} watches could not be set`;
  return `${rules} rules in force (${hash.slice(0, 12)}), records waited at most ` +
    `${pauseMs.toFixed(1)} ms${watches}`;
}

/** Compiles the rules again and hands them on; when they cannot be read those in force stay. */
async function reloadRules(
  worker: PipelineWorker,
  { settings: { values }, run }: { readonly settings: LoadedConfig; readonly run: SensorRun },
): Promise<void> {
  try {
    const rules = await compileApart(rulePaths(values));
    for (const rejection of rules.rejected) run.onWarning(rejection);
    worker.reload(rules, policyOf(values, { rules, kinds: run.kinds }));
  } catch (error) {
    if (!(error instanceof ImmuneError)) throw error;
    run.onWarning(`${error.message}; the rules in force stay`);
  }
}

/** What the host is like; ends the run when the sensor cannot start on it. */
function checkedFacts({ sensor }: Config, { onWarning }: SensorRun): { readonly bootId: string } {
  const facts = hostFacts({ btf: sensor.btf });
  const findings = checkHost(facts);
  const fatal = findings.filter((finding) => finding.fatal);
  if (fatal.length > 0) {
    throw new ImmuneError("SENSOR_UNAVAILABLE", fatal.map(findingLine).join("\n"));
  }
  for (const finding of findings) onWarning(findingLine(finding));
  return facts;
}

function policyOf(
  { sensor }: Config,
  { rules, kinds }: {
    readonly rules: CompiledRules | undefined;
    readonly kinds: readonly KindName[] | undefined;
  },
): Policy {
  const wanted = kinds ?? rules?.interest.kinds ?? [];
  return {
    // The process table needs these, whatever is shown.
    kinds: [...new Set<KindName>(["exec", "fork", "exit", ...wanted])],
    wideOpen: sensor.open === "wide",
    identity: wanted.includes("identity"),
    wakeIntervalUs: sensor.wake_interval_us,
    watches: [...rules?.interest.watches ?? [], ...sensor.watch.map(watchOf)],
    // Who asks for kinds of events wants all of them.
    publicPeers: kinds === undefined && rules !== undefined && rules.interest.publicPeers,
    ...(rules === undefined ? {} : { roles: rules.interest.roles }),
  };
}

/** `/a` is a file, `/a/` the files in it, `/a/**` all below. */
function watchOf(path: string): Watch {
  if (path.endsWith("/**")) return { type: "tree", path: resolve(path.slice(0, -"/**".length)) };
  return { type: path.endsWith("/") ? "children" : "file", path: resolve(path) };
}

function lossLine(losses: readonly Loss[]): string {
  const parts = losses.map(({ cause, count, source }) =>
    `${count} by ${lossCause(cause) ?? cause} at source ${source.toString(16)}`
  );
  return `Records were lost: ${parts.join(", ")}`;
}

async function untilSignal(worker: PipelineWorker): Promise<PipelineCounters> {
  let asked = false;
  const stop = (): void => {
    // The terminal and the launcher may both send it: once is enough.
    if (!asked) worker.stop();
    asked = true;
  };
  const signals = endSignals();
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  try {
    return await worker.finished;
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
  }
}
