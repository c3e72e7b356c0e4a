// deno task build [--no-install] [--quiet] [--then immune ARGUMENT...]
//
// Builds what is missing or out of date into out/: the record's headers, the WASM engine, the eBPF
// objects and the sensor's loader. With --then it starts the program afterwards.

import { launch, needsSensor } from "./launch.ts";
import { ensurePackages, REQUIREMENTS } from "./packages.ts";
import { buildRunAs } from "./run_as.ts";
import { buildSensor } from "./sensor.ts";
import { buildWasm } from "./wasm.ts";

interface BuildOptions {
  readonly install: boolean;
  readonly quiet: boolean;
  /** False when what comes next runs without the sensor. */
  readonly sensor: boolean;
}

async function main(args: readonly string[]): Promise<number> {
  const then = args.indexOf("--then");
  const own = then < 0 ? args : args.slice(0, then);
  const next = then < 0 ? undefined : args.slice(then + 2);
  const unknown = own.find((arg) => arg !== "--no-install" && arg !== "--quiet");
  if (unknown !== undefined) {
    console.error(`Cannot build: unknown argument "${unknown}", use --no-install or --quiet`);
    return 2;
  }
  const built = await build({
    install: !own.includes("--no-install"),
    quiet: own.includes("--quiet"),
    sensor: next === undefined || needsSensor(next),
  });
  if (next !== undefined) return await launch(next);
  return built ? 0 : 1;
}

/** Builds; false when the sensor could not be built (the rest then works without it). */
async function build(options: BuildOptions): Promise<boolean> {
  const say = (line: string): void => {
    if (!options.quiet) console.error(line);
  };
  await buildWasm();
  say("engine: out/engine.wasm");
  if (!options.sensor) return true;
  if (Deno.build.os !== "linux") {
    console.error(`The sensor cannot be built on "${Deno.build.os}": it needs Linux`);
    return false;
  }
  const missing = await ensurePackages(REQUIREMENTS, options);
  if (missing.length > 0) {
    console.error(
      "The sensor is not built; verbs that need none (all but up, agent, watch, events and doctor) " +
        "still work",
    );
    return false;
  }
  try {
    await buildRunAs();
    await buildSensor();
  } catch (error) {
    console.error(`Cannot build the sensor: ${error instanceof Error ? error.message : error}`);
    return false;
  }
  say("sensor: out/libimmune_sensor.so");
  return true;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
