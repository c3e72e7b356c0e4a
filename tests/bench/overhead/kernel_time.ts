import type { SensorControl } from "../../../agent/sensors/control.ts";

const SWITCH = "/proc/sys/kernel/bpf_stats_enabled";

/** What the kernel's statistics say of one program while something ran. */
export interface ProgramTime {
  readonly name: string;
  readonly runs: number;
  /** Of one run, in nanoseconds, the two looks at the clock included. */
  readonly runNs: number;
}

/**
 * Runs something with the kernel's statistics of programs on; they are as before afterwards.
 *
 * @param sensor The sensor whose programs are meant.
 * @param act What runs.
 * @returns Programs that ran, also for other processes of the host.
 */
export async function programTimes(
  sensor: Pick<SensorControl, "programs">,
  act: () => Promise<unknown>,
): Promise<readonly ProgramTime[]> {
  const before = await Deno.readTextFile(SWITCH);
  await Deno.writeTextFile(SWITCH, "1");
  try {
    const start = new Map(sensor.programs().map((row) => [row.name, row]));
    await act();
    return sensor.programs().flatMap(({ name, runs, runTimeNs }) => {
      const was = start.get(name);
      const count = runs - (was?.runs ?? 0);
      if (count === 0) return [];
      return [{ name, runs: count, runNs: (runTimeNs - (was?.runTimeNs ?? 0)) / count }];
    });
  } finally {
    await Deno.writeTextFile(SWITCH, before);
  }
}
