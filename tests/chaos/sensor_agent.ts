// An agent as a process of its own, with the kernel's sensor: pipeline and link as in the program,
// and processes that come and go. Needs root and the built sensor.
//
// deno run -A tests/chaos/sensor_agent.ts run STATE SEED [--drain]
import { AgentLink } from "../../agent/link/agent_link.ts";
import { PipelineWorker } from "../../agent/pipeline/owner.ts";
import { hostFacts } from "../../agent/sensors/mod.ts";
import { OPTIONS } from "../../common/config/mod.ts";

/** How long processes come and go before the journal is drained, in milliseconds. */
const DRAIN_AFTER_MS = 1000;

function say(line: object): void {
  console.log(JSON.stringify(line));
}

async function run(state: string, { drain }: { readonly drain: boolean }): Promise<void> {
  const durable = new SharedArrayBuffer(8);
  const onDisk = (): number => Number(Atomics.load(new BigInt64Array(durable), 0));
  const started = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  let [acknowledged, complete] = [0, false];
  const check = (): void => {
    if (complete && acknowledged === onDisk()) drained.resolve();
  };
  const pipeline = new PipelineWorker({
    durable,
    state,
    sensor: {
      btf: OPTIONS.sensor.btf.initial,
      lifecycleRingBytes: OPTIONS.sensor.lifecycle_ring_bytes.initial,
      bulkRingBytes: OPTIONS.sensor.bulk_ring_bytes.initial,
    },
    policy: {
      kinds: ["exec", "fork", "exit"],
      wideOpen: false,
      identity: false,
      wakeIntervalUs: OPTIONS.sensor.wake_interval_us.initial,
      watches: [],
    },
    journal: { segmentBytes: 256 * 1024, totalBytes: 256 * 1024 * 1024, flushMs: 20 },
    hostId: "",
    hostName: "chaos",
    bootId: hostFacts({ btf: OPTIONS.sensor.btf.initial }).bootId.replaceAll("-", ""),
    documents: false,
  }, {
    onReloaded: () => {},
    onStarted: ({ recovery }) => {
      say({ opened: recovery });
      started.resolve();
    },
    onAlerts: () => Promise.resolve(),
    onDocuments: () => Promise.resolve(),
    onLosses: (losses) => say({ losses }),
    onWarning: (warning) => say({ warning }),
  });
  await Promise.race([started.promise, pipeline.finished]);
  const link = new AgentLink({ state, durable }, {
    onStatus: (status) => say({ status }),
    onAcknowledged: (position) => {
      acknowledged = position;
      pipeline.acknowledged(position);
      say({ acknowledged });
      check();
    },
    onWarning: (warning) => say({ warning }),
  });
  say({ flowing: true });
  const endsAt = performance.now() + DRAIN_AFTER_MS;
  while (!drain || performance.now() < endsAt) await new Deno.Command("/bin/true").output();
  pipeline.stop();
  await pipeline.finished;
  complete = true;
  check();
  await Promise.race([drained.promise, link.finished]);
  link.stop();
  say({ link: await link.finished });
  say({ drained: { last: onDisk(), acknowledged } });
}

const [, state = "", , flag] = Deno.args;
await run(state, { drain: flag === "--drain" });
Deno.exit();
