import { Lines, START_WAIT_MS } from "./lines.ts";
import { freeAddresses } from "./ports.ts";
import { dist, ENVIRONMENT, LAUNCHER } from "./up.ts";

/** How a verb ended. */
export interface VerbRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host of its own as far as programs can tell: another machine id and another name. */
export interface FleetHost {
  readonly name: string;
  /** Runs a verb on it, with its own state folder. */
  readonly run: (args: readonly string[], input?: string) => Promise<VerbRun>;
  /** Starts its agent; it watches when this returns. */
  readonly startAgent: (options?: AgentOptions) => Promise<RunningAgent>;
}

/** How an agent is started. */
export interface AgentOptions {
  /** More arguments of `immune agent`. */
  readonly args?: readonly string[];
  /** The host has been up for so many seconds more by then, in a time namespace. Default 0. */
  readonly laterS?: number;
}

/** An agent that watches. */
export interface RunningAgent extends AsyncDisposable {
  /** Waits for a line that it says on standard error. */
  readonly says: (accept: (line: string) => boolean) => Promise<string>;
}

/** Gives a program another machine id and host name, and runs it. */
const AS_HOST = 'mount --bind "$1" /etc/machine-id && hostname "$2" && shift 2 && exec "$@"';

/** A hive as `immune hive` runs it, and hosts whose agents deliver to it. Needs root. */
export class TestFleet implements AsyncDisposable {
  readonly folder: string;
  readonly #flags: readonly string[];
  readonly #args: readonly string[];
  readonly #console: string;
  #hive: { readonly child: Deno.ChildProcess; readonly lines: Lines } | undefined;

  private constructor(
    folder: string,
    { addresses, args }: {
      readonly addresses: readonly string[];
      readonly args: readonly string[];
    },
  ) {
    this.folder = folder;
    this.#args = args;
    const [console = "", agents = "", enroll = ""] = addresses;
    this.#console = console;
    this.#flags = ["--state", `${folder}/hive`, "--console", console].concat(
      ["--agents", agents, "--enroll", enroll],
    );
  }

  /**
   * Starts a hive with a state folder and ports of its own.
   *
   * @param args More arguments of `immune hive`.
   */
  static async start(...args: readonly string[]): Promise<TestFleet> {
    await dist;
    const folder = await Deno.makeTempDir({ prefix: "immune-fleet-" });
    const fleet = new TestFleet(folder, { addresses: freeAddresses(), args });
    await fleet.startHive();
    return fleet;
  }

  /** Starts the hive anew, on the state that it left. */
  async startHive(): Promise<void> {
    const child = command(["hive", "--json", ...this.#flags, ...this.#args]).spawn();
    const lines = new Lines(child.stdout);
    this.#hive = { child, lines };
    const options = { waitMs: START_WAIT_MS };
    await lines.find((line) => line.includes('"type":"hive"'), options);
  }

  /** Has the hive read its rules again. */
  reload(): void {
    this.#hive?.child.kill("SIGHUP");
  }

  /** Ends the hive; `SIGKILL` leaves it no time for anything. */
  async stopHive(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    this.#hive?.child.kill(signal);
    await this.#hive?.lines.drain();
    await this.#hive?.child.status;
    this.#hive = undefined;
  }

  /** Asks the hive's API. */
  async api(path: string, init: RequestInit = {}): Promise<Response> {
    const token = (await Deno.readTextFile(`${this.folder}/hive/operator.token`)).trim();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    return await fetch(`http://${this.#console}${path}`, { ...init, headers });
  }

  /** Runs an operator's verb. */
  verb(...args: readonly string[]): Promise<VerbRun> {
    return run(command([...args, ...this.#flags]));
  }

  /** A host that is enrolled with the hive. */
  async host(name: string): Promise<FleetHost> {
    const machineId = `${this.folder}/${name}.machine-id`;
    await Deno.writeTextFile(machineId, `${crypto.randomUUID().replaceAll("-", "")}\n`);
    const prefix = ["unshare", "--mount", "--uts", "sh", "-c", AS_HOST, "sh", machineId, name];
    const as = (args: readonly string[]): readonly string[] => [
      ...args,
      "--state",
      `${this.folder}/${name}`,
    ];
    const host: FleetHost = {
      name,
      run: (args, input) =>
        run(command(as(args), { prefix, stdin: input === undefined ? "null" : "piped" }), input),
      startAgent: ({ args = [], laterS = 0 } = {}) =>
        startAgent(
          command(as(["agent", "--json", ...args]), { prefix: [...later(laterS), ...prefix] }),
        ),
    };
    const answer = await this.api("/api/v1/enroll-tokens", { method: "POST", body: "{}" });
    const { token } = await answer.json();
    const { code, stderr } = await host.run(["enroll", "--token-file", "-"], token);
    if (code !== 0) throw new Error(`Cannot enrol "${name}": ${stderr}`);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopHive();
    await Deno.remove(this.folder, { recursive: true });
  }
}

function command(
  args: readonly string[],
  { prefix = [], stdin = "null" }: {
    readonly prefix?: readonly string[];
    readonly stdin?: "null" | "piped";
  } = {},
): Deno.Command {
  const [program = "", ...rest] = [...prefix, LAUNCHER, ...args];
  return new Deno.Command(program, {
    args: rest,
    clearEnv: true,
    env: { ...ENVIRONMENT },
    stdin,
    stdout: "piped",
    stderr: args[0] === "hive" ? "inherit" : "piped",
  });
}

/** Runs a program as it were so long after: both clocks of the kernel that nobody can set. */
function later(seconds: number): readonly string[] {
  const by = String(seconds);
  return seconds === 0 ? [] : ["unshare", "--time", "--boottime", by, "--monotonic", by];
}

async function startAgent(command: Deno.Command): Promise<RunningAgent> {
  const child = command.spawn();
  const [lines, errors] = [new Lines(child.stdout), new Lines(child.stderr)];
  await lines.find((line) => line.includes('"type":"agent"'), { waitMs: START_WAIT_MS });
  return {
    says: (accept) => errors.find(accept, { waitMs: START_WAIT_MS }),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGTERM");
      await Promise.all([lines.drain(), errors.drain()]);
      await child.status;
    },
  };
}

async function run(command: Deno.Command, input?: string): Promise<VerbRun> {
  const child = command.spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
