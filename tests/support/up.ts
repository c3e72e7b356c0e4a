import { bundleIfStale } from "../../build/bundle.ts";
import { ROOT } from "./immune.ts";
import { Lines, START_WAIT_MS } from "./lines.ts";
import { freeAddresses } from "./ports.ts";

/** A host's hive and agent, started as a user starts them. */
export interface RunningUp {
  readonly state: string;
  /** Flags that name its state and its addresses, for any verb. */
  readonly flags: readonly string[];
  /** One-time login link. */
  readonly login: string;
  /** What it has printed so far, up to the last of its five lines. */
  readonly lines: readonly string[];
  /** All that it said on standard error, once it has ended; nothing unless that was asked for. */
  readonly said: Promise<Uint8Array>;
  /** Sends it a signal and waits for its end; gives its exit code. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** The program's launcher in `dist/`. */
export const LAUNCHER = `${ROOT}dist/immune`;

/** Environment of the launcher: nothing but where programs are. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  IMMUNE_DENO: Deno.execPath(),
};

/** Makes `dist/`, once for all files of a run. */
export const dist: Promise<void> = bundleIfStale();

/**
 * What a user types: the launcher of `dist/`, with nothing of this process's environment.
 *
 * @param args Arguments of `immune`.
 * @param prefix Command before it, for instance `setsid`. Default: none.
 * @returns The command, not started yet; both its streams are piped.
 */
export async function launched(
  args: readonly string[],
  prefix: readonly string[] = [],
): Promise<Deno.Command> {
  await dist;
  const [program = LAUNCHER, ...rest] = [...prefix, LAUNCHER, ...args];
  return new Deno.Command(program, {
    args: rest,
    clearEnv: true,
    env: { HOME: Deno.env.get("HOME") ?? "/", ...ENVIRONMENT },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/**
 * Starts `up` with a state folder and ports of its own.
 *
 * @param options `launcher`: default that of `dist/`; `prefix`: command before it; `state`: folder;
 * `flags`: those of an earlier run, to go on where it was;
 * `environment`: default `ENVIRONMENT`; `stderr`: `piped` to be kept as `said`.
 */
export async function startUp(
  options: {
    readonly launcher?: string;
    readonly prefix?: readonly string[];
    readonly state?: string;
    readonly flags?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly stderr?: "inherit" | "piped";
  } = {},
): Promise<RunningUp> {
  await dist;
  const state = options.state ?? await Deno.makeTempDir();
  const [console, agents, enroll] = freeAddresses();
  // An agent that is enrolled goes to where its hive was.
  const flags = options.flags ?? [
    ["--state", state],
    ["--console", console],
    ["--agents", agents],
    ["--enroll", enroll],
  ].flat();
  const [command = "", ...args] = [
    ...(options.prefix ?? []),
    options.launcher ?? LAUNCHER,
    "up",
    ...flags,
  ];
  const child = new Deno.Command(command, {
    args,
    clearEnv: true,
    env: { ...(options.environment ?? ENVIRONMENT) },
    stdin: "null",
    stdout: "piped",
    stderr: options.stderr ?? "inherit",
  }).spawn();
  const said = options.stderr === "piped"
    ? new Response(child.stderr).bytes()
    : Promise.resolve(new Uint8Array());
  const output = new Lines(child.stdout);
  const lines: string[] = [];
  try {
    await output.find((line) => lines.push(line) > 0 && line.startsWith("Remove"), {
      waitMs: START_WAIT_MS,
    });
  } catch (error) {
    child.kill();
    throw error;
  }
  return {
    state,
    flags,
    lines,
    said,
    login: /http:\S+/.exec(lines.join("\n"))?.[0] ?? "",
    stop: async (signal = "SIGINT") => {
      child.kill(signal);
      await output.drain();
      return (await child.status).code;
    },
  };
}

/** What a verb of the launcher came to. */
export async function runVerb(
  ...args: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  await dist;
  const { code, stdout, stderr } = await new Deno.Command(LAUNCHER, {
    args,
    clearEnv: true,
    env: { ...ENVIRONMENT },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
