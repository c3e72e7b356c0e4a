import { run } from "./run.ts";

const SOURCE = "cli/supervise/run_as.c";
const PROGRAM = "out/immune-run-as";

/**
 * Compiles the small program that starts others with fewer rights, unless it is up to date.
 *
 * @throws {Error} when it does not compile.
 */
export async function buildRunAs(): Promise<void> {
  const built = await Deno.stat(PROGRAM).catch(() => undefined);
  const source = await Deno.stat(SOURCE);
  if (built?.mtime && source.mtime && built.mtime >= source.mtime) return;
  await Deno.mkdir("out", { recursive: true });
  const command = ["cc", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", PROGRAM, SOURCE];
  if (await run(command) !== 0) throw new Error(`Cannot compile ${SOURCE}`);
}
