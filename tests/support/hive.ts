import { createHive, type Hive, type HiveOptions } from "../../hive/serve.ts";

const ANYWHERE = "127.0.0.1:0";

/** A whole hive in this process, with the flags that lead verbs to it. */
export interface RunningHive extends AsyncDisposable {
  readonly hive: Hive;
  readonly state: string;
  readonly flags: readonly string[];
}

/**
 * Starts a hive on free ports of loopback.
 *
 * @param options What differs from the default; with `state` the folder stays.
 */
export async function startHive(options: Partial<HiveOptions> = {}): Promise<RunningHive> {
  const state = options.state ?? await Deno.makeTempDir();
  const hive = await createHive({
    state,
    agents: ANYWHERE,
    enroll: ANYWHERE,
    console: ANYWHERE,
    version: "9.9.9",
    ...options,
  });
  return {
    hive,
    state,
    flags: ["--state", state, "--console", hive.addresses.console],
    async [Symbol.asyncDispose](): Promise<void> {
      await hive.stop();
      if (options.state === undefined) await Deno.remove(state, { recursive: true });
    },
  };
}
