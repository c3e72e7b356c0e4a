import { fileURLToPath } from "node:url";
import { loadIndicatorsOrWarn } from "../agent/indicators/load.ts";
import type { LoadedIndicators } from "../agent/indicators/messages.ts";
import { REQUEST_MODULE } from "../agent/enrol/renew.ts";
import { compileApart } from "../agent/rules/compile.ts";
import type { CompiledRules } from "../agent/rules/messages.ts";
import {
  type PipelineCounters,
  type PipelineOptions,
  type PipelineStarted,
} from "../agent/pipeline/messages.ts";
import type { ReloadedPolicy } from "../agent/pipeline/open.ts";
import { moduleAddress, PROGRAM_ROOT } from "../common/config/program.ts";
import type { LogOptions } from "../agent/pipeline/logs.ts";
import { JOURNAL_FOLDERS, LOG_FILES, SYSLOG_FILES } from "../common/config/log_files.ts";
import { type PipelineHandlers, PipelineWorker } from "../agent/pipeline/owner.ts";
import type { EnforcementOptions } from "../agent/enforce/enforcement.ts";
import { GUARDIAN_PROGRAM, HASHER_PROGRAM } from "../agent/sensors/library.ts";
import { checkHost, findingLine, hostFacts, type Policy } from "../agent/sensors/mod.ts";
import { AGENT_WORKERS } from "../agent/workers.ts";
import { type Config, ImmuneError, type LoadedConfig, statePaths } from "../common/config/mod.ts";
import type { EcsDocument, KindName } from "../common/record/mod.ts";
import { type Alert, type Loss, lossCause } from "../common/wire/mod.ts";
import { EnforcementAudit, enforcementOptions, enforcementPolicy } from "./enforcement.ts";
import { rulePaths } from "./rules.ts";
import { notSeenLine, policyOf } from "./sensor_policy.ts";
import { endSignals, onReloadSignal } from "./signals.ts";

/** Ring of connects and opens where none is set: the wide stream brings many times as much. */
const BULK_RING_BYTES = { watched: 4 * 1024 * 1024, wide: 16 * 1024 * 1024 } as const;

/** What a run with the sensor does, and where its findings go. */
export interface SensorRun {
  /** Keep records and alerts in the state folder. */
  readonly journal: boolean;
  /** Match rules. */
  readonly rules: boolean;
  /** Kinds to report; default those that the rules need. */
  readonly kinds?: readonly KindName[];
  readonly onReady: (ready: {
    readonly rules: CompiledRules | undefined;
    /** Indicators in force. */
    readonly indicators: number;
    /** Tiers that refuse; empty: nothing is refused. */
    readonly tiers: readonly string[];
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
  const { bootId } = checkedFacts(values, run);
  const inForce = new InForce(values, run);
  await inForce.read();
  const { rules } = inForce;
  const enforcement = run.rules ? enforcementOptions(values, { paused: false }) : undefined;
  using audit = enforcement && new EnforcementAudit(values, run.onWarning);
  const reload = (): Promise<void> => inForce.reload(worker);
  const worker = new PipelineWorker(
    pipelineOptions(values, { run, inForce, enforcement, bootId: bootId.replaceAll("-", "") }),
    pipelineHandlers(
      audited(run, audit),
      ({ note, tiers }) => run.onReady({ rules, indicators: inForce.indicatorCount, tiers, note }),
    ),
  );
  using _reloading = run.rules ? onReloadSignal(reload) : undefined;
  return await untilEnded(worker);
}

/**
 * A run whose verdicts go to the audit log too.
 *
 * @param run The run.
 * @param audit The log; `undefined` where nothing is refused.
 */
export function audited(run: SensorRun, audit: EnforcementAudit | undefined): SensorRun {
  if (audit === undefined) return run;
  return {
    ...run,
    onAlerts: (alerts) => {
      audit.take(alerts);
      return run.onAlerts?.(alerts) ?? Promise.resolve();
    },
  };
}

/** What differs between runs of the sensor. */
export interface PipelineParts {
  readonly run: SensorRun;
  readonly inForce: Pick<InForce, "rules" | "indicators" | "policy">;
  /** What is refused. Default: nothing. */
  readonly enforcement?: EnforcementOptions | undefined;
  /** 32 hexadecimal digits. */
  readonly bootId: string;
  /** Where the journal publishes what is on the disk. Default: nowhere. */
  readonly durable?: SharedArrayBuffer;
}

/**
 * What a pipeline is told at its start.
 *
 * @param config The configuration.
 * @param parts What it is to do.
 */
export function pipelineOptions(
  { sensor, state, journal, logs }: Config,
  { run, inForce, bootId, durable, enforcement }: PipelineParts,
): PipelineOptions {
  const { rules, indicators, policy } = inForce;
  return {
    ...(durable && { durable }),
    sensor: {
      btf: sensor.btf,
      lifecycleRingBytes: sensor.lifecycle_ring_bytes,
      bulkRingBytes: sensor.bulk_ring_bytes ||
        BULK_RING_BYTES[policy.wideOpen ? "wide" : "watched"],
    },
    policy,
    enforcement,
    ...(rules && { rules }),
    indicators,
    ...(run.rules ? { ownFiles: ownFiles(state.dir) } : {}),
    ...(run.rules && logs.read === "on" ? { logs: logOptions(logs) } : {}),
    ...(run.journal ? { state: state.dir } : {}),
    journal: {
      segmentBytes: journal.segment_bytes,
      totalBytes: journal.total_bytes,
      flushMs: journal.flush_ms,
    },
    hostId: "",
    hostName: Deno.hostname(),
    bootId,
    documents: run.onDocuments !== undefined,
  };
}

/**
 * What the agent runs from: program, library, guardian, hasher, Deno, settings, its names in the
 * state folder.
 */
function ownFiles(state: string): readonly string[] {
  const { hostId } = statePaths(state);
  return [
    fileURLToPath(Deno.mainModule),
    ...AGENT_WORKERS.map((worker) => fileURLToPath(moduleAddress(worker))),
    fileURLToPath(moduleAddress(REQUEST_MODULE)),
    fileURLToPath(new URL("out/libimmune_sensor.so", PROGRAM_ROOT)),
    GUARDIAN_PROGRAM,
    HASHER_PROGRAM,
    Deno.execPath(),
    "/etc/immune/immune.toml",
    `${state}/immune.toml`,
    hostId,
  ];
}

/**
 * The logs that are read. Syslog's own files are left where journald keeps a journal, unless they
 * are named: the same lines stand in both.
 */
function logOptions({ files, journals }: Config["logs"]): LogOptions {
  return {
    files: files.length === 0 ? LOG_FILES : files,
    journals: journals.length === 0 && files.length === 0 ? JOURNAL_FOLDERS : journals,
    unlessJournal: files.length === 0 ? SYSLOG_FILES : [],
  };
}

/**
 * Where a pipeline's reports go.
 *
 * @param run Where findings go.
 * @param onStarted Called when it polls.
 */
export function pipelineHandlers(
  run: SensorRun,
  onStarted: (started: PipelineStarted) => void,
): PipelineHandlers {
  return {
    onStarted: (started) => {
      const { watchesNotSet } = started;
      if (watchesNotSet > 0) run.onWarning(`${watchesNotSet} watches could not be set`);
      onStarted(started);
    },
    onAlerts: (alerts) => run.onAlerts?.(alerts) ?? Promise.resolve(),
    onDocuments: (documents) => run.onDocuments?.(documents) ?? Promise.resolve(),
    onLosses: (losses) => run.onWarning(lossLine(losses)),
    onWarning: run.onWarning,
    onReloaded: (reloaded) => run.onReloaded?.(reloaded),
  };
}

/**
 * One line that says what a reload came to.
 *
 * @param reloaded What is in force.
 */
export function reloadedLine(reloaded: ReloadedPolicy): string {
  const { rules, hash, indicators, pauseMs, watchesNotSet } = reloaded;
  const listed = indicators === 0 ? "" : ` and ${indicators} indicators`;
  const watches = watchesNotSet === 0 ? "" : `, ${watchesNotSet} watches could not be set`;
  return `${rules} rules in force (${hash.slice(0, 12)})${listed}, records waited at most ` +
    `${pauseMs.toFixed(1)} ms${watches}`;
}

/** Rules and indicators in force, as a run goes on. */
export class InForce {
  readonly #config: Config;
  readonly #run: SensorRun;
  rules: CompiledRules | undefined;
  indicators: LoadedIndicators | undefined;

  /**
   * @param config Where both are.
   * @param run Told what cannot be read.
   */
  constructor(config: Config, run: SensorRun) {
    this.#config = config;
    this.#run = run;
  }

  /** How many indicators there are. */
  get indicatorCount(): number {
    return this.indicators?.set.offsets.length ?? 0;
  }

  /**
   * Reads both; indicators that cannot be read are told, and those there are stay.
   *
   * @param paths Rule files and folders. Default: those of the configuration.
   */
  async read(paths: readonly string[] = rulePaths(this.#config)): Promise<void> {
    if (!this.#run.rules) return;
    const { onWarning } = this.#run;
    this.rules = await compileApart(paths);
    this.indicators = await loadIndicatorsOrWarn(statePaths(this.#config.state.dir).indicators, {
      onWarning,
      stays: this.indicators === undefined
        ? "no indicator is in force"
        : "the indicators in force stay",
    }) ?? this.indicators;
    const notSeen = this.indicators && notSeenLine(this.indicators, this.policy);
    if (notSeen !== undefined) onWarning(notSeen);
  }

  /** What they want from the sensor. */
  get policy(): Policy {
    return this.policyWith(this.#config.sensor);
  }

  /**
   * What they want from it, with other settings.
   *
   * @param sensor The settings.
   */
  policyWith(sensor: Config["sensor"]): Policy {
    const { rules, indicators } = this;
    const { kinds } = this.#run;
    return policyOf({ ...this.#config, sensor }, { rules, indicators, kinds });
  }

  /** Reads both again and hands them on; when the rules cannot be read all in force stay. */
  async reload(worker: PipelineWorker): Promise<void> {
    const { onWarning } = this.#run;
    try {
      await this.read();
      const { rules, indicators, policy } = this;
      for (const rejection of rules?.rejected ?? []) onWarning(rejection);
      const enforcement = enforcementPolicy(this.#config);
      if (rules !== undefined) worker.reload({ rules, indicators, policy, enforcement });
    } catch (error) {
      if (!(error instanceof ImmuneError)) throw error;
      onWarning(`${error.message}; the rules in force stay`);
    }
  }
}

/**
 * What the host is like; ends the run when the sensor cannot start on it.
 *
 * @param config Where the kernel's types are.
 * @param run Told what the host lacks.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` with a line for each thing that is needed.
 */
export function checkedFacts(
  { sensor }: Config,
  { onWarning }: Pick<SensorRun, "onWarning">,
): { readonly bootId: string } {
  const facts = hostFacts({ btf: sensor.btf });
  const findings = checkHost(facts);
  const fatal = findings.filter((finding) => finding.fatal);
  if (fatal.length > 0) {
    throw new ImmuneError("SENSOR_UNAVAILABLE", fatal.map(findingLine).join("\n"));
  }
  for (const finding of findings) onWarning(findingLine(finding));
  return facts;
}

function lossLine(losses: readonly Loss[]): string {
  const parts = losses.map(({ cause, count, source }) =>
    `${count} by ${lossCause(cause) ?? cause} at source ${source.toString(16)}`
  );
  return `Records were lost: ${parts.join(", ")}`;
}

async function untilEnded(worker: PipelineWorker): Promise<PipelineCounters> {
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
