import { fileURLToPath } from "node:url";
import { PIN_VARIABLES } from "../common/link/pin.ts";
import { memoryFlags, memoryVariables } from "../cli/memory.ts";
import { permissionFlags, startVariables } from "../cli/permissions.ts";
import { verbOf } from "../cli/programs.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Verbs that load the sensor; the build of all others leaves it out. */
const VERBS_WITH_SENSOR: ReadonlySet<string> = new Set([
  "up",
  "agent",
  "watch",
  "events",
  "doctor",
]);

/**
 * Whether a command line of the program needs the sensor.
 *
 * @param args Arguments of `immune`, the verb first.
 */
export function needsSensor(args: readonly string[]): boolean {
  return VERBS_WITH_SENSOR.has(verbOf(args) ?? "") && !args.includes("--help");
}

/**
 * Starts the program with the permissions that its verb needs and no more, and hands signals on.
 *
 * @param args Arguments of `immune`.
 * @returns Its exit code.
 */
export async function launch(args: readonly string[]): Promise<number> {
  // deno task starts in the project's folder: paths on the command line are the caller's.
  const cwd = Deno.env.get("INIT_CWD") ?? Deno.cwd();
  const environment = Deno.env.toObject();
  const surroundings = { root: ROOT, environment, cwd };
  const variables = startVariables(args);
  // A hive that is pinned is the only one that is trusted: what adds others must be gone.
  if (Object.keys(variables).length > 0) PIN_VARIABLES.forEach((name) => delete environment[name]);
  const child = new Deno.Command(Deno.execPath(), {
    clearEnv: true,
    env: { ...environment, ...memoryVariables(args), ...variables },
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--frozen",
      `--config=${ROOT}deno.json`,
      ...memoryFlags(args),
      ...permissionFlags(args, surroundings),
      `${ROOT}mod.ts`,
      ...args,
    ],
    cwd,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const forward = (signal: Deno.Signal) => (): void => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already: its exit code is on its way.
    }
  };
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const handler = forward(signal);
    Deno.addSignalListener(signal, handler);
    return [signal, handler] as const;
  });
  const { code } = await child.status;
  for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
  return code;
}
