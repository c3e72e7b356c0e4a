import { isIP } from "node:net";
import { fileURLToPath } from "node:url";
import { CommandFile, Guard } from "../agent/guards/mod.ts";
import type { Identity } from "../agent/enrol/identity.ts";
import type { AgentLink } from "../agent/link/agent_link.ts";
import { OrdersLink } from "../agent/orders/orders_link.ts";
import type { PipelineCounters } from "../agent/pipeline/messages.ts";
import type { PipelineWorker } from "../agent/pipeline/owner.ts";
import { bootTimeNs } from "../agent/sensors/mod.ts";
import {
  type Config,
  ImmuneError,
  PROGRAM_ROOT,
  statePaths,
  SYSTEM_CLOCK,
} from "../common/config/mod.ts";
import { NO_OWN_THINGS, type OwnThings } from "../common/herd/mod.ts";
import { HiveOrders } from "../common/link/orders.ts";
import type { DirectiveKind } from "../common/wire/mod.ts";
import { DURABLE_BYTES, enrolledIdentity, startDelivery } from "./delivery.ts";
import { hostIdOf } from "./host_id.ts";
import { OrderedSensor } from "./ordered_sensor.ts";
import { checkedFacts, type SensorRun } from "./sensor_run.ts";
import { endSignals, onReloadSignal, untilSignal } from "./signals.ts";

const NO_ANTIBODIES = { fleet: null, host: null } as const;
const HOUR_MS = 3_600_000;
const NS_PER_MS = 1_000_000n;

/** What a run of the agent has said when it watches, or why it does not. */
export interface AgentRun extends SensorRun {
  /** Called instead of `onReady` when the kill switch keeps the sensor off. */
  readonly onStopped: () => void;
}

/**
 * Runs the agent until a signal ends it: sensor, delivery, and orders of its hive.
 *
 * @param config The configuration.
 * @param run Where findings go.
 * @returns What the pipeline has done; `undefined` when the sensor never ran.
 * @throws {ImmuneError} `ENROLL_REFUSED`, `SENSOR_UNAVAILABLE`, `STATE_UNUSABLE`.
 */
export async function runAgent(
  config: Config,
  run: AgentRun,
): Promise<PipelineCounters | undefined> {
  const identity = enrolledIdentity(config.state.dir);
  const bootId = checkedFacts(config, run).bootId.replaceAll("-", "");
  const hostId = hostIdOf(config.state.dir);
  const durable = new SharedArrayBuffer(DURABLE_BYTES);
  const file = openOrders(identity, { config, run });
  const { pack, policy, stopped } = file?.now ?? { pack: null, policy: null, stopped: false };
  const none = file === undefined || config.agent.refuse.includes("antibodies");
  using orders = HiveOrders.pinned(() => proxied(enrolledIdentity(config.state.dir), config));
  let link: AgentLink | undefined;
  let worker: PipelineWorker | undefined;
  const sensor = new OrderedSensor({
    config,
    run,
    bootId,
    durable,
    fetchPack: (hash) => orders.pack(hash),
    fetchSet: (hash) => orders.antibodies(hash),
    own: ownThings(identity, config),
    onAntibodies: (text) => guarded?.antibodiesInForce(text),
    onStarted: (next, inForce) => {
      worker = next;
      // One delivery for all runs of the sensor: the journal stays the same.
      link ??= startDelivery({
        state: config.state.dir,
        durable,
        onAcknowledged: (position) => worker?.acknowledged(position),
        onWarning: run.onWarning,
        ...(config.agent.proxy === "" ? {} : { proxy: config.agent.proxy }),
      });
      run.onReady({ ...inForce, note: "" });
    },
  }, { pack, policy, antibodies: none ? NO_ANTIBODIES : file.now.antibodies });
  using guarded = file && guard({ file, bootId, hostId, config, run, orders, sensor });
  if (stopped) {
    sensor.stayOff();
    run.onStopped();
  } else await sensor.start({ blocks: guarded?.blocks ?? true });
  guarded?.start();
  using _reloading = onReloadSignal(() => sensor.reload());
  const over = new AbortController();
  try {
    await Promise.race([
      untilSignal({ over: over.signal, signals: endSignals() }),
      sensor.failed,
    ]);
  } finally {
    over.abort();
    guarded?.end();
    await sensor.stop();
    link?.stop();
    // What it rejects with was told when it happened.
    await link?.finished.catch(() => undefined);
  }
  return sensor.counters;
}

/** What no antibody may hit on this host. */
function ownThings({ agents }: Identity, { state }: Config): OwnThings {
  const { hostname, port } = new URL(`https://${agents}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  return {
    ...NO_OWN_THINGS,
    ...(isIP(host) === 0 ? { domains: [host] } : { addresses: [host] }),
    ports: [Number(port || "443")],
    folders: [state.dir, fileURLToPath(PROGRAM_ROOT).replace(/\/$/, "")],
  };
}

interface Guarded extends Disposable {
  readonly blocks: boolean;
  antibodiesInForce(text: string): void;
  start(): void;
  end(): void;
}

interface GuardedParts {
  readonly file: CommandFile;
  readonly bootId: string;
  readonly hostId: string;
  readonly config: Config;
  readonly run: SensorRun;
  readonly orders: HiveOrders;
  readonly sensor: OrderedSensor;
}

/** The guard with its way to the hive. */
function guard({ file, bootId, hostId, config, run, orders, sensor }: GuardedParts): Guarded {
  const { agent } = config;
  const warn = run.onWarning;
  const link = new OrdersLink({ orders, clock: SYSTEM_CLOCK, warn });
  const guards = new Guard({
    file,
    hostId,
    acts: {
      ...link.acts,
      ...sensor.acts,
      blocking: (wanted) => {
        const what = wanted ? "This host may block again" : "This host only detects";
        sensor.blocking(wanted).then(
          (found) => warn(`${what}: ${found}`),
          (error: Error) => warn(`${what}: ${error.message}`),
        );
      },
      warn,
    },
    refuse: agent.refuse as readonly DirectiveKind[],
    onCanaryLoss: agent.on_canary_loss,
    clock: SYSTEM_CLOCK,
    boot: {
      id: bootId,
      nowMs: () => Number(bootTimeNs() / NS_PER_MS),
    },
    canary: {
      checkMs: agent.canary_check_hours * HOUR_MS,
      lossMs: agent.canary_loss_hours * HOUR_MS,
    },
  });
  return {
    get blocks(): boolean {
      return guards.blocks;
    },
    antibodiesInForce: (text) => guards.antibodiesInForce(text),
    start(): void {
      guards.start();
      link.run(guards).catch((error: Error) => warn(error.message));
    },
    end: () => link.end(),
    [Symbol.dispose]: () => guards[Symbol.dispose](),
  };
}

/** What orders were before; without a hive that gives any, or with a damaged file, none is taken. */
function openOrders(
  identity: Identity,
  { config, run }: { readonly config: Config; readonly run: SensorRun },
): CommandFile | undefined {
  if (identity.orders === undefined) return undefined;
  try {
    return CommandFile.open(statePaths(config.state.dir).agent, identity.orders);
  } catch (error) {
    if (!(error instanceof ImmuneError)) throw error;
    run.onWarning(`${error.message}; no order is taken until then`);
    return undefined;
  }
}

function proxied(identity: Identity, { agent }: Config): Identity {
  return agent.proxy === "" ? identity : { ...identity, proxy: agent.proxy };
}
