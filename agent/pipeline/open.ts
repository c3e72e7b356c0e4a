import { State } from "../../common/config/state.ts";
import { Journal } from "../../common/journal/mod.ts";
import type { EcsContext, EcsDocument } from "../../common/record/mod.ts";
import { type Alert, type Loss, LOSS_CAUSES } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { bootTimeNs } from "../sensors/facts.ts";
import { KernelSensor } from "../sensors/kernel.ts";
import { loadLibrary } from "../sensors/library.ts";
import type { Policy } from "../sensors/policy.ts";
import { awaitGone, type Detached, programsLeft } from "../sensors/programs.ts";
import { Enforcement } from "../enforce/enforcement.ts";
import { contextBatches } from "./context.ts";
import { CorrelationState } from "./correlation_state.ts";
import { JournalSink } from "./journal_sink.ts";
import { Logs } from "./logs.ts";
import { IndicatorLookup } from "../indicators/lookup.ts";
import { SeenFile } from "../indicators/seen_file.ts";
import type { PipelineChange, PipelineOptions, PipelineStarted } from "./messages.ts";
import { Pipeline } from "./pipeline.ts";
import { type SensorCounts, writeSensorFile } from "./sensor_file.ts";
import { SelfWatch } from "./self_watch.ts";
import { Settling } from "./settling.ts";
import { type Reloaded, RulesInForce } from "./rules_in_force.ts";
import { Unwatched } from "./unwatched.ts";
import { parsePasswd, userRecords } from "./users.ts";

/** The host's clock is compared with the boot clock this often, in milliseconds. */
const CLOCK_INTERVAL_MS = 10_000;
const PASSWD = "/etc/passwd";

/** Before the end: what is seen is counted as filtered. */
const NOTHING_WANTED: Omit<Policy, "wakeIntervalUs"> = {
  kinds: [],
  wideOpen: false,
  identity: false,
  watches: [],
};

/** Where a pipeline's findings go. */
export interface PipelineOutlets {
  readonly onAlert: (alert: Alert) => void;
  readonly onWarning: (message: string) => void;
  readonly onDocument?: (document: EcsDocument) => void;
}

/** What taking over rules came to, in engine and kernel. */
export interface ReloadedPolicy extends Reloaded {
  /** Indicators that are now in force. */
  readonly indicators: number;
  /** Watches that the kernel refused. */
  readonly watchesNotSet: number;
}

/** A pipeline with all that it holds open. */
export interface RunningPipeline extends Disposable {
  readonly pipeline: Pipeline;
  readonly started: PipelineStarted;
  /** Records written to the journal. */
  journaled(): number;
  /** What is due once per turn, beside the batch itself. */
  tick(): void;
  /**
   * Begins to take over other rules and indicators, and what they want from the kernel.
   *
   * @throws {ImmuneError} `IMAGE_INVALID` when the rules do not fit; all in force stay.
   */
  reload(change: PipelineChange): void;
  /** True while they are on their way. */
  readonly isReloading: boolean;
  /**
   * Does one step of that.
   *
   * @returns What it came to, once they are in force.
   * @throws {ImmuneError} `IMAGE_INVALID` when the engine refuses the rules; all in force stay.
   */
  stepReload(): ReloadedPolicy | undefined;
  /** How many programs of the sensor the kernel has. */
  programs(): number;
  /** From here on the sensor makes no record: what it has made can be taken to the last one. */
  endRecords(): void;
  /**
   * Refuses nothing, or goes on.
   *
   * @returns Whether the kernel refuses now; false without a policy.
   */
  blocking(wanted: boolean): boolean;
  /**
   * Lets everything go, and says whether the kernel has let go of the programs.
   *
   * @param release Whether pins are taken away too.
   */
  detach(release: boolean): Detached;
  /** Puts everything on the disk. */
  flush(): void;
  /** Lets go of what the hive has: everything up to `position`. */
  acknowledge(position: number): void;
}

/**
 * Opens state, journal, engine and sensor, in this order: what can fail without the kernel fails
 * before anything is attached.
 *
 * @param options What the pipeline is to do.
 * @param outlets Where alerts, warnings and documents go.
 * @returns The pipeline; dispose of it to let everything go.
 * @throws {ImmuneError} `STATE_UNUSABLE`, `STATE_LOCKED`, `IMAGE_INVALID`, `SENSOR_UNAVAILABLE`.
 */
export async function openPipeline(
  options: PipelineOptions,
  outlets: PipelineOutlets,
): Promise<RunningPipeline> {
  using held = new DisposableStack();
  const state = options.state === undefined ? undefined : held.use(State.open(options.state));
  const epoch = state?.nextEpoch() ?? 0;
  const engine = await Engine.create();
  const rules = new RulesInForce(engine, options.rules);
  const host = new HostContext({ ...options, hostId: state?.hostId() ?? options.hostId });
  const journal = state && held.use(Journal.open(state.paths.journal, {
    ...options.journal,
    ...(options.durable === undefined ? {} : { publishTo: new BigInt64Array(options.durable) }),
    context: () =>
      contextBatches({
        engine,
        users: host.users,
        rules: rules.now,
        timeNs: host.bootTimeNs(),
      }),
  }));
  const sink = journal && new JournalSink(journal, {
    epoch,
    context: () => host.context(),
    bootTimeNs: () => host.bootTimeNs(),
    onWarning: outlets.onWarning,
  });
  const correlated = state &&
    held.use(new CorrelationState(state.paths, { onWarning: outlets.onWarning }));
  const indicators = new IndicatorLookup(engine);
  if (options.indicators !== undefined) indicators.use(options.indicators);
  const seen = state && new SeenFile(state.paths.indicators, outlets);
  feedUsers(engine, host);
  const sensor = held.use(KernelSensor.open(options.sensor));
  const watchesNotSet = sensor.policy(options.policy);
  if (watchesNotSet > 0 && sensor.problem() !== "") outlets.onWarning(sensor.problem());
  const enforcement = options.enforcement && held.use(
    new Enforcement(options.enforcement, {
      sensor,
      kernel: options.sensor,
      wallOffsetNs: () => host.context().wallOffsetNs,
      roleId: (name) => rules.now.roles.find((role) => role.name === name)?.id,
      onWarning: outlets.onWarning,
    }),
  );
  const pipeline = new Pipeline({
    source: sensor,
    engine,
    sink,
    rules,
    correlation: correlated?.correlation,
    indicators,
    onMatch: (match) => seen?.count(match, Date.now()),
    enforcement: enforcement && (() => enforcement.policy),
    onProgram: enforcement && ((device) => enforcement.ran(device)),
    tiers: enforcement && (() => enforcement.counts()),
    onCounted: state && countsInto(state.paths.sensor, outlets),
    epoch,
    missing: journal && notWatched(journal),
    context: () => host.context(),
    ...outlets,
  });
  const logs = options.logs && held.use(
    new Logs(options.logs, {
      engine,
      pipeline,
      state: state?.paths.logs,
      userId: (name) => host.userId(name),
      wallOffsetNs: () => host.context().wallOffsetNs,
      bootTimeNs: () => host.bootTimeNs(),
      onWarning: outlets.onWarning,
    }),
  );
  let policy = options.policy;
  const self = options.ownFiles && new SelfWatch({
    sensor,
    enforcement,
    library: options.sensor,
    engine,
    pipeline,
    policy: () => policy,
    bootTimeNs: () => host.bootTimeNs(),
    bootId: options.bootId,
    files: options.ownFiles,
    runFile: state?.paths.run,
  });
  const { immune_settle: settle, immune_forget_start: forgetStart } =
    loadLibrary(options.sensor).symbols;
  const settling = new Settling((isFirst) => {
    settle();
    if (isFirst) forgetStart();
  });
  const unwatched = new Unwatched({ sensor, onWarning: outlets.onWarning });
  const ids = sensor.programIds();
  const tiers = enforcement?.tiers ?? [];
  const owned = held.move();
  return {
    pipeline,
    started: journal === undefined
      ? { watchesNotSet, tiers, note: "nothing is stored" }
      : { watchesNotSet, tiers, note: recoveryNote(journal), recovery: journal.recovery },
    journaled: () => sink?.appended ?? 0,
    tick: (): void => {
      journal?.flushIfDue();
      correlated?.saveIfDue();
      seen?.saveIfDue();
      logs?.step();
      self?.step();
      enforcement?.lookAgainIfDue();
      unwatched.step();
      settling.step();
    },
    programs: () => programsLeft(ids, options.sensor),
    endRecords: () => {
      sensor.policy({ ...NOTHING_WANTED, wakeIntervalUs: options.policy.wakeIntervalUs });
    },
    blocking: (wanted) => enforcement?.blocking(wanted) ?? false,
    detach: (release): Detached => {
      const refusing = release ? enforcement?.remove() : undefined;
      owned.dispose();
      const { programs, left } = awaitGone(ids, options.sensor);
      return {
        programs: programs + (refusing?.programs ?? 0),
        left: left + (refusing?.left ?? 0),
      };
    },
    ...reloading({ rules, indicators, sensor, enforcement, onPolicy: (next) => policy = next }),
    flush: (): void => {
      journal?.flush();
      correlated?.save();
      seen?.save();
      logs?.save();
      self?.end();
    },
    acknowledge: (position) => journal?.acknowledge(position),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** Rules, then indicators come into force between two batches; what they want is asked for then. */
function reloading(
  { rules, indicators, sensor, enforcement, onPolicy }: {
    readonly onPolicy: (policy: Policy) => void;
    readonly enforcement: Enforcement | undefined;
    readonly rules: RulesInForce;
    readonly indicators: IndicatorLookup;
    readonly sensor: Pick<KernelSensor, "policy">;
  },
): Pick<RunningPipeline, "reload" | "isReloading" | "stepReload"> {
  let wanted: PipelineChange | undefined;
  return {
    reload(change): void {
      rules.begin(change.rules);
      wanted = change;
    },
    get isReloading(): boolean {
      return rules.isReloading;
    },
    stepReload(): ReloadedPolicy | undefined {
      const reloaded = rules.step();
      if (reloaded === undefined || wanted === undefined) return undefined;
      if (wanted.indicators !== undefined) indicators.use(wanted.indicators);
      const watchesNotSet = sensor.policy(wanted.policy);
      onPolicy(wanted.policy);
      if (wanted.enforcement !== undefined) enforcement?.take(wanted.enforcement);
      return { ...reloaded, indicators: indicators.size, watchesNotSet };
    },
  };
}

/** Host, boot and clock of the documents; the clock is looked at again every few seconds. */
class HostContext {
  readonly users: ReadonlyMap<number, string>;
  readonly #userIds: ReadonlyMap<string, number>;
  readonly #options: PipelineOptions;
  #context: EcsContext;
  #takenAt = -Infinity;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.users = readUsers();
    this.#userIds = new Map([...this.users].map(([uid, name]) => [name, uid]));
    this.#context = this.#take();
  }

  context(): EcsContext {
    if (performance.now() - this.#takenAt > CLOCK_INTERVAL_MS) this.#context = this.#take();
    return this.#context;
  }

  userId(name: string): number | undefined {
    return this.#userIds.get(name);
  }

  bootTimeNs(): bigint {
    return bootTimeNs(this.#options.sensor);
  }

  #take(): EcsContext {
    this.#takenAt = performance.now();
    const { hostId, hostName, bootId } = this.#options;
    return {
      hostId,
      hostName,
      bootId,
      wallOffsetNs: BigInt(Date.now()) * 1_000_000n - this.bootTimeNs(),
      userName: (uid) => this.users.get(uid),
    };
  }
}

function readUsers(): ReadonlyMap<number, string> {
  try {
    return parsePasswd(Deno.readTextFileSync(PASSWD));
  } catch {
    // Without names, users are shown by their ids.
    return new Map();
  }
}

/** The engine learns user names as it learns everything: from records. */
function feedUsers(engine: Engine, host: HostContext): void {
  for (const record of userRecords(host.users, host.bootTimeNs())) {
    engine.batch.set(record);
    engine.scan(record.length);
  }
}

/** Between two runs nobody watched: how much happened is not known. */
function notWatched(journal: Journal): Loss[] {
  if (journal.stats().next === 1) return [];
  const cause = LOSS_CAUSES.not_attached;
  return [{ cause, kind: 0, source: 0, certain: false, count: 1, first: 0 }];
}

/** Puts down what the sensor has counted; that it cannot is told once. */
function countsInto(
  path: string,
  { onWarning }: Pick<PipelineOutlets, "onWarning">,
): (counted: SensorCounts) => void {
  let failing = false;
  return (counted) => {
    try {
      writeSensorFile(path, counted);
      failing = false;
    } catch (error) {
      if (!failing) onWarning(`Cannot write "${path}": ${(error as Error).message}`);
      failing = true;
    }
  };
}

function recoveryNote(journal: Journal): string {
  const { next } = journal.stats();
  const name = `journal ${journal.id.slice(0, 8)}`;
  if (next === 1) return `${name} starts`;
  return `${name} goes on at ${next}, what happened since it stopped is not in it`;
}
