import { KernelSensor } from "../../../agent/sensors/kernel.ts";
import type { Policy } from "../../../agent/sensors/policy.ts";
import { Engine } from "../../../wasm/engine/mod.ts";

/** How often the records are taken, in milliseconds. */
const POLL_MS = 5;

/** A workload of tests/support/load.c, and how often it does its deed a run. */
export interface Load {
  readonly name: string;
  readonly times: number;
}

/** A run before that is not measured does so much of it: caches and quiet neighbours are in place. */
const WARM_UP_SHARE = 10;

/**
 * CPU time of a workload and its children, as it prints it, after a short run that warms up.
 *
 * @param binary load.c, compiled.
 * @param load What it does.
 * @returns Microseconds.
 */
export async function cpuUsOf(binary: string, load: Load): Promise<number> {
  await runLoad(binary, { ...load, times: Math.ceil(load.times / WARM_UP_SHARE) });
  return await runLoad(binary, load);
}

/**
 * Runs a workload once.
 *
 * @param binary load.c, compiled.
 * @param load What it does.
 * @returns CPU time in microseconds.
 */
export async function runLoad(binary: string, { name, times }: Load): Promise<number> {
  const args = [name, String(times)];
  const { success, stdout } = await new Deno.Command(binary, { args }).output();
  if (!success) throw new Error(`Workload "${name}" failed`);
  return Number(new TextDecoder().decode(stdout));
}

/**
 * Runs something under a sensor whose records are read and scanned as an agent does.
 *
 * @param policy What is reported.
 * @param act What runs.
 * @returns What it gave.
 */
export async function underSensor<T>(
  policy: Policy,
  act: (sensor: KernelSensor) => Promise<T>,
): Promise<T> {
  const engine = await Engine.create();
  using sensor = KernelSensor.open();
  sensor.policy(policy);
  // What ran before is not the workload's.
  while (sensor.poll(engine.batch, 0) > 0);
  let ended = false;
  const done = act(sensor).finally(() => ended = true);
  while (!ended) {
    engine.scan(sensor.poll(engine.batch, POLL_MS));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return await done;
}
