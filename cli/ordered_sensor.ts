import { createHash } from "node:crypto";
import type { CompiledRules } from "../agent/rules/messages.ts";
import { PinnedBefore } from "../agent/enforce/pinned_before.ts";
import type { EnforcementPolicy } from "../agent/enforce/policy.ts";
import type { PipelineCounters, PipelineStarted } from "../agent/pipeline/messages.ts";
import type { ReloadedPolicy } from "../agent/pipeline/open.ts";
import { PipelineWorker } from "../agent/pipeline/owner.ts";
import { PackFolders } from "../agent/orders/pack_folder.ts";
import type { GuardActs, WantedAntibodies } from "../agent/guards/mod.ts";
import { antibodiesText, HerdInForce } from "../agent/herd/mod.ts";
import { encodePolicy, type Policy } from "../agent/sensors/mod.ts";
import { type Config, ImmuneError, statePaths, SYSTEM_CLOCK } from "../common/config/mod.ts";
import type { OwnThings } from "../common/herd/mod.ts";
import type { PolicyBody, StopAction } from "../common/wire/mod.ts";
import { EnforcementAudit, enforcementOptions, enforcementPolicy } from "./enforcement.ts";
import { rulePaths } from "./rules.ts";
import {
  audited,
  InForce,
  pipelineHandlers,
  pipelineOptions,
  type SensorRun,
} from "./sensor_run.ts";

/** Antibodies that are not taken, told one by one; the answer counts all. */
const REFUSED_TOLD_MAX = 16;

/** What an ordered sensor starts with, as its orders said before. */
export interface OrderedStart {
  /** Pack of rules in force; null = the host's own. */
  readonly pack: string | null;
  readonly policy: PolicyBody | null;
  readonly antibodies: WantedAntibodies;
}

/** What an ordered sensor works with. */
export interface OrderedSensorParts {
  readonly config: Config;
  readonly run: SensorRun;
  readonly bootId: string;
  readonly durable: SharedArrayBuffer;
  /** Gets a pack of rules that is not here. */
  readonly fetchPack: (hash: string) => Promise<Uint8Array>;
  /** Gets a set of antibodies that is not here. */
  readonly fetchSet: (hash: string) => Promise<Uint8Array>;
  /** What no antibody may hit here. */
  readonly own: OwnThings;
  /** Told what is true once antibodies are in force that could not be taken over when ordered. */
  readonly onAntibodies: (text: string) => void;
  /** Called each time that the sensor polls. */
  readonly onStarted: (
    worker: PipelineWorker,
    inForce: {
      readonly rules: CompiledRules | undefined;
      readonly indicators: number;
      readonly tiers: readonly string[];
    },
  ) => void;
}

/** What engine and kernel were given, and had then; `reloaded` is undefined while they are off. */
interface Given {
  readonly rules: CompiledRules | undefined;
  readonly policyHash: string;
  readonly reloaded: ReloadedPolicy | undefined;
}

interface Running {
  readonly worker: PipelineWorker;
  readonly started: PipelineStarted;
  /** Whether it has an enforcement policy. */
  readonly enforces: boolean;
}

/** The sensor of an agent, which orders stop, start and give other rules. */
export class OrderedSensor {
  readonly #parts: OrderedSensorParts;
  readonly #packs: PackFolders;
  readonly #inForce: InForce;
  readonly #failed = Promise.withResolvers<never>();
  /** What an earlier agent pinned; where this one has a policy its pipeline looks after it. */
  readonly #pinned: PinnedBefore;
  #audit: EnforcementAudit | undefined;
  #pack: string | null;
  #policy: PolicyBody | null;
  #antibodies: WantedAntibodies;
  readonly #herd: HerdInForce;
  #told = "";
  #running: Running | undefined;
  #reloaded: PromiseWithResolvers<ReloadedPolicy> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** What has the pipeline to itself; short, where a turn may be long. */
  #alone: Promise<unknown> = Promise.resolve();
  /** Stops that were carried out. */
  #stops = 0;
  #done: PipelineCounters | undefined;
  #blocks = true;

  /**
   * @param parts Configuration and where findings go.
   * @param start What earlier orders said.
   */
  constructor(parts: OrderedSensorParts, start: OrderedStart) {
    this.#parts = parts;
    const { enforcement: { pin_path: pinPath } } = parts.config;
    this.#pinned = new PinnedBefore({ pinPath, library: {}, onWarning: parts.run.onWarning });
    this.#inForce = new InForce(parts.config, parts.run);
    this.#packs = new PackFolders(statePaths(parts.config.state.dir).agent);
    this.#pack = start.pack !== null && this.#packs.has(start.pack) ? start.pack : null;
    this.#policy = start.policy;
    this.#antibodies = start.antibodies;
    const { agent, indicators } = statePaths(parts.config.state.dir);
    this.#herd = new HerdInForce({
      agent,
      indicators,
      own: parts.own,
      clock: SYSTEM_CLOCK,
      fetchSet: parts.fetchSet,
      again: () => this.#inTurn(() => this.#antibodiesAgain()),
    });
    this.#failed.promise.catch(() => {});
    if (start.pack !== this.#pack) {
      parts.run.onWarning("The pack of rules in force is not here: the host's own rules are");
    }
  }

  /** Rejects when the sensor ends by itself. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** What its runs have done together. */
  get counters(): PipelineCounters | undefined {
    return this.#done;
  }

  /** What a guard has done by it. */
  get acts(): Pick<GuardActs, "rules" | "policy" | "antibodies" | "sensor"> {
    return {
      rules: (pack) => this.#inTurn(() => this.#useRules(pack)),
      policy: (policy) => this.#inTurn(() => this.#usePolicy(policy)),
      antibodies: (wanted) => this.#inTurn(() => this.#useAntibodies(wanted)),
      sensor: (action) => this.#act(action),
    };
  }

  /**
   * Compiles the rules and attaches.
   *
   * @param options Whether it may refuse anything from its first moment on.
   */
  start({ blocks }: { readonly blocks: boolean }): Promise<PipelineStarted> {
    this.#blocks = blocks;
    return this.#inTurn(() => this.#start());
  }

  /** The kill switch keeps it off; what was pinned when it was not yet carried out whole goes too. */
  stayOff(): void {
    const { programs, left } = this.#pinned.release();
    // What could not be taken away was warned of, as going on.
    if (programs === 0 || left > 0) return;
    this.#parts.run.onWarning("Enforcement: the kill switch is on, so what was pinned is released");
  }

  /** Detaches, where it is attached, for good; what is pinned to outlive the agent stays. */
  stop(): Promise<void> {
    this.#herd[Symbol.dispose]();
    return this.#inTurn(() =>
      this.#byItself(async () => void await this.#stop({ release: false }))
    );
  }

  /**
   * Refuses nothing, or goes on.
   *
   * @param wanted Whether it is to refuse.
   * @returns One line: what the kernel says afterwards.
   */
  blocking(wanted: boolean): Promise<string> {
    this.#blocks = wanted;
    return this.#byItself(async () => {
      if (this.#running === undefined) return "the sensor is off, nothing is refused";
      const { worker, enforces } = this.#running;
      const refuses = await worker.blocking(wanted) || !enforces && this.#pinned.blocking(wanted);
      const finding = refuses ? "the kernel refuses again" : "the kernel refuses nothing";
      this.#audit?.switched({ wanted, refuses, finding });
      return finding;
    });
  }

  /** Reads the rules in force again; when they cannot be read those in force stay. */
  reload(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        if (this.#running === undefined) return;
        await this.#takeAntibodies();
        await this.#putInForce(this.#pack, this.#policy);
      } catch (error) {
        if (!(error instanceof ImmuneError)) throw error;
        this.#parts.run.onWarning(`${error.message}; the rules in force stay`);
      }
    });
  }

  /** A stop waits for no rules that are fetched or compiled, which may take minutes. */
  #act(action: StopAction): Promise<string> {
    if (action === "lift") return this.#inTurn(() => this.#lift());
    return this.#byItself(() => action === "drill" ? this.#drill() : this.#detach());
  }

  async #lift(): Promise<string> {
    if (this.#running !== undefined) return `sensor is attached: ${await this.#programs()}`;
    await this.#start();
    return `sensor attached: ${await this.#programs()}`;
  }

  async #detach(): Promise<string> {
    this.#stops++;
    const wasOff = this.#running === undefined;
    const own = await this.#stop({ release: true });
    // Without a policy of its own, or without a sensor, an earlier agent's may be pinned all the same.
    const pinned = this.#pinned.release();
    const [programs, left] = [own.programs + pinned.programs, own.left + pinned.left];
    if (left > 0) {
      const message = `Cannot detach: the kernel still has ${left} of ${programs} programs`;
      throw new ImmuneError("SENSOR_FAILED", message);
    }
    if (wasOff && programs === 0) return "sensor is detached: it was off already";
    return `sensor detached: ${programs} programs are gone from the kernel`;
  }

  async #drill(): Promise<string> {
    if (this.#running === undefined) return "drill: the sensor is off already";
    return `drill: the sensor would be detached, ${await this.#programs()}`;
  }

  async #programs(): Promise<string> {
    return `the kernel has its ${await this.#running?.worker.programs() ?? 0} programs`;
  }

  async #start(): Promise<PipelineStarted> {
    const stops = this.#stops;
    await this.#takeAntibodies();
    await this.#inForce.read(this.#paths(this.#pack));
    return await this.#byItself(() => {
      if (this.#stops === stops) return this.#attach();
      const message = "Cannot attach the sensor: it was stopped while its rules were compiled";
      throw new ImmuneError("SENSOR_FAILED", message);
    });
  }

  async #attach(): Promise<PipelineStarted> {
    const { config, bootId, durable, onStarted } = this.#parts;
    const enforcement = enforcementOptions(config, { paused: !this.#blocks });
    if (enforcement !== undefined) this.#audit ??= this.#openAudit();
    else this.#tellPinned();
    const run = audited(this.#parts.run, this.#audit);
    const { rules, indicators, indicatorCount } = this.#inForce;
    const policy = this.#policyFor(this.#policy);
    const { promise, resolve } = Promise.withResolvers<PipelineStarted>();
    const handlers = pipelineHandlers(run, resolve);
    const worker = new PipelineWorker(
      pipelineOptions(config, {
        run,
        inForce: { rules, indicators, policy },
        enforcement,
        bootId,
        durable,
      }),
      {
        ...handlers,
        onReloaded: (reloaded) => {
          handlers.onReloaded(reloaded);
          this.#reloaded?.resolve(reloaded);
        },
        onKept: (message) => this.#reloaded?.reject(new ImmuneError("IMAGE_INVALID", message)),
      },
    );
    // Which ends without being asked has failed: the agent ends with it.
    worker.finished.then(
      (counters) => this.#done = added(this.#done, counters),
      (error) => this.#failed.reject(error),
    );
    const started = await Promise.race([promise, this.#failed.promise]);
    this.#running = { worker, started, enforces: enforcement !== undefined };
    onStarted(worker, { rules, indicators: indicatorCount, tiers: started.tiers });
    return started;
  }

  /** An agent that has no policy refuses nothing; what is pinned does. */
  #tellPinned(): void {
    if (!this.#blocks) this.#pinned.blocking(false);
    const { line } = this.#pinned;
    if (line !== "") this.#parts.run.onWarning(`Enforcement: no policy is named; ${line}`);
  }

  /** The host's enforcement policy; one that does not hold is told, and that in force stays. */
  #enforcement(): EnforcementPolicy | undefined {
    try {
      return enforcementPolicy(this.#parts.config);
    } catch (error) {
      if (!(error instanceof ImmuneError)) throw error;
      this.#parts.run.onWarning(`${error.message}; the enforcement policy in force stays`);
      return undefined;
    }
  }

  #openAudit(): EnforcementAudit {
    return new EnforcementAudit(this.#parts.config, this.#parts.run.onWarning);
  }

  async #stop(
    { release }: { readonly release: boolean },
  ): Promise<{ readonly programs: number; readonly left: number }> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return { programs: 0, left: 0 };
    running.worker.stop(release);
    await running.worker.finished;
    return running.worker.detached ?? { programs: 0, left: 0 };
  }

  async #useRules(pack: string | null): Promise<string> {
    if (pack !== null && !this.#packs.has(pack)) {
      this.#packs.add(pack, await this.#parts.fetchPack(pack));
    }
    const text = await this.#putInForce(pack, this.#policy);
    this.#pack = pack;
    this.#packs.keepOnly(pack);
    return text;
  }

  /** Puts antibodies in force and says what is true then. */
  async #useAntibodies(wanted: WantedAntibodies): Promise<string> {
    this.#antibodies = wanted;
    const taken = await this.#herd.take(wanted);
    for (const { id, message } of taken.refused.slice(0, REFUSED_TOLD_MAX)) {
      this.#parts.run.onWarning(`Antibody "${id}" is not taken here: ${message}`);
    }
    const { rules, reloaded } = await this.#give(this.#pack, this.#policy);
    const inForce = new Set(rules?.rules.map(({ id }) => id ?? ""));
    return antibodiesText(taken, { wanted, inForce, reloaded });
  }

  /** One has run out, or they could not be taken over when they were ordered. */
  async #antibodiesAgain(): Promise<void> {
    const wasFailing = this.#herd.isFailing;
    try {
      const text = await this.#useAntibodies(this.#antibodies);
      if (wasFailing) this.#parts.onAntibodies(text);
      this.#told = "";
    } catch (error) {
      this.#tellOnce(error);
    }
  }

  /** What a start has of them; a host starts without those that it cannot have. */
  async #takeAntibodies(): Promise<void> {
    if (!this.#herd.isUsed) return;
    try {
      await this.#herd.take(this.#antibodies);
    } catch (error) {
      this.#tellOnce(error);
    }
  }

  #tellOnce(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (why !== this.#told) this.#parts.run.onWarning(`${why}; the antibodies before stay`);
    this.#told = why;
  }

  async #usePolicy(policy: PolicyBody): Promise<string> {
    const text = await this.#putInForce(this.#pack, policy);
    this.#policy = policy;
    return text;
  }

  /** Gives rules and policy to engine and kernel, and says what they then had. */
  async #putInForce(pack: string | null, policy: PolicyBody | null): Promise<string> {
    const { rules, policyHash, reloaded } = await this.#give(pack, policy);
    if (rules === undefined) return "no rules are matched here";
    if (reloaded === undefined) {
      return `rule set ${rules.hash} and policy ${policyHash} are kept: the sensor is off`;
    }
    const { hash, rules: count, watchesNotSet } = reloaded;
    return `rule set ${hash} active: ${count} rules, ${rules.rejected.length} rejected; ` +
      `policy ${policyHash} active, ${watchesNotSet} watches not set`;
  }

  /** Gives them rules, policy and indicators as they are on the disk. */
  async #give(pack: string | null, policy: PolicyBody | null): Promise<Given> {
    await this.#inForce.read(this.#paths(pack));
    for (const rejection of this.#inForce.rules?.rejected ?? []) {
      this.#parts.run.onWarning(rejection);
    }
    return await this.#byItself(() => this.#handOver(policy));
  }

  async #handOver(policy: PolicyBody | null): Promise<Given> {
    const { rules, indicators } = this.#inForce;
    const wanted = this.#policyFor(policy);
    const policyHash = createHash("sha256").update(encodePolicy(wanted)).digest("hex");
    const running = this.#running;
    if (running === undefined || rules === undefined) {
      return { rules, policyHash, reloaded: undefined };
    }
    this.#reloaded = Promise.withResolvers();
    const enforcement = this.#enforcement();
    running.worker.reload({ rules, indicators, policy: wanted, enforcement });
    const reloaded = await Promise.race([this.#reloaded.promise, this.#failed.promise]);
    this.#reloaded = undefined;
    return { rules, policyHash, reloaded };
  }

  #paths(pack: string | null): readonly string[] {
    const paths = pack === null ? rulePaths(this.#parts.config) : [this.#packs.path(pack)];
    // Last: should not all rules fit, it is not the host's own that are left out.
    return [...paths, ...this.#herd.rulePaths];
  }

  #policyFor(policy: PolicyBody | null): Policy {
    const { sensor } = this.#parts.config;
    const { open, wakeIntervalUs, watch } = policy ?? {
      open: null,
      wakeIntervalUs: null,
      watch: null,
    };
    return this.#inForce.policyWith({
      ...sensor,
      ...(open === null ? {} : { open }),
      ...(wakeIntervalUs === null ? {} : { wake_interval_us: wakeIntervalUs }),
      ...(watch === null ? {} : { watch: [...sensor.watch, ...watch] }),
    });
  }

  #byItself<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#alone.then(work);
    this.#alone = done.catch(() => {});
    return done;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function added(a: PipelineCounters | undefined, b: PipelineCounters): PipelineCounters {
  if (a === undefined) return b;
  const names = Object.keys(b) as (keyof PipelineCounters)[];
  const sums = names.map((name) => [name, a[name] + b[name]]);
  return Object.fromEntries(sums) as unknown as PipelineCounters;
}
