import { assertEquals } from "@std/assert";
import { PIN_VARIABLES, pinnedEnvironment } from "../../common/link/mod.ts";
import { decodeToken } from "../../common/link/token.ts";
import { immune } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { Secrets } from "../support/secrets.ts";
import { freeAddresses } from "../support/ports.ts";

/** A hive that runs as its launcher starts it. */
export interface RunningHive {
  readonly pid: number;
  readonly origin: string;
  readonly login: string;
  readonly token: string;
  /** Kills it with a signal, and looks at all that it said. */
  kill(signal: Deno.Signal): Promise<void>;
}

/** How a verb is run. */
export interface VerbOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly killedBy?: Deno.Signal;
  /** True when it is to be refused. */
  readonly isRefused?: boolean;
}

/** Events that rules of the program fire on, one a line. */
export const EVENTS = Array.from(
  { length: 20 },
  (_, number) =>
    JSON.stringify({
      "@timestamp": new Date(Date.now() - 1000 * number).toISOString(),
      logsource: { category: "process_creation", product: "linux" },
      Image: "/usr/bin/bash",
      CommandLine: `bash -c : /dev/tcp/127.0.0.1/${4000 + number}`,
      ParentImage: "/usr/sbin/sshd",
    }),
).join("\n");

/** A hive and an agent in folders of their own, and what is looked for. */
export class MarkerScene {
  readonly secrets = new Secrets();
  readonly state: string;
  readonly agentState: string;
  readonly #flags: readonly string[];

  constructor(folder: string) {
    this.state = `${folder}/hive`;
    this.agentState = `${folder}/agent`;
    const [console, agents, enroll] = freeAddresses();
    this.#flags = ["--console", console, "--agents", agents, "--enroll", enroll];
  }

  /** Flags that lead an operator's verbs to the hive. */
  get verbFlags(): readonly string[] {
    return ["--state", this.state, ...this.#flags];
  }

  /** Starts the hive, with more flags of its own. */
  async startHive(more: readonly string[] = []): Promise<RunningHive> {
    const child = immune(["hive", "--json", "--state", this.state, ...this.#flags, ...more])
      .spawn();
    const said = new Response(child.stderr).bytes();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    for (let next = await output.read(); !next.done; next = await output.read()) {
      line += next.value;
      if (line.endsWith("\n")) break;
    }
    if (line === "") throw new Error(`The hive ended: ${new TextDecoder().decode(await said)}`);
    const { login, token, addresses } = JSON.parse(line);
    return {
      pid: child.pid,
      origin: `http://${addresses.console}`,
      login,
      token,
      kill: async (signal) => {
        await this.secrets.lookAtProcesses();
        child.kill(signal);
        while (!(await output.read()).done);
        assertEquals((await child.status).success, signal === "SIGINT");
        this.secrets.look("the hive's stderr", await said);
      },
    };
  }

  /** Runs a verb of the agent's host to its end, and looks at all processes meanwhile. */
  agentVerb(args: readonly string[], options: VerbOptions = {}): Promise<void> {
    return this.#verb([...args, "--state", this.agentState, ...this.#flags], options);
  }

  /** The same for a verb of an operator. */
  operatorVerb(args: readonly string[], options: VerbOptions = {}): Promise<void> {
    return this.#verb([...args, ...this.verbFlags], options);
  }

  async #verb(
    args: readonly string[],
    { input, environment = {}, killedBy, isRefused = false }: VerbOptions,
  ): Promise<void> {
    const command = immune(args, {
      stdin: input === undefined ? "null" : "piped",
      environment,
      // An agent that could trust another anchor does not start.
      without: PIN_VARIABLES,
    });
    const child = command.spawn();
    const outputs = Promise.all([child.stdout, child.stderr].map((s) => new Response(s).bytes()));
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input));
      if (killedBy === undefined) await writer.close();
    }
    let isOver = false;
    const over = child.status.then((status) => {
      isOver = true;
      return status;
    });
    do await this.secrets.lookAtProcesses(); while (!isOver && killedBy === undefined);
    if (killedBy !== undefined) child.kill(killedBy);
    const { success } = await over;
    const said = await outputs;
    for (const bytes of said) this.secrets.look(`output of "${args[0]}"`, bytes);
    const words = said.map((bytes) => new TextDecoder().decode(bytes)).join("\n");
    const isGood = killedBy === undefined && !isRefused;
    assertEquals(success, isGood, `immune ${args.join(" ")}: ${words}`);
  }

  /** Starts the agent with its sensor; it watches when this is settled. */
  async startAgent(): Promise<{ kill(signal: Deno.Signal): Promise<void> }> {
    const args = ["agent", "--json", "--state", this.agentState, ...this.#flags];
    const environment = pinnedEnvironment();
    const child = immune(args, { environment, without: PIN_VARIABLES }).spawn();
    const said = new Response(child.stderr).bytes();
    const output = new Lines(child.stdout);
    await output.find((line) => line.includes('"type":"agent"'), { waitMs: START_WAIT_MS });
    return {
      kill: async (signal) => {
        await this.secrets.lookAtProcesses();
        child.kill(signal);
        await output.drain();
        await child.status;
        this.secrets.look("the agent's stderr", await said);
      },
    };
  }

  async lookAtState(): Promise<void> {
    await this.secrets.lookBelow(this.state);
    await this.secrets.lookBelow(this.agentState);
  }
}

/**
 * A request of the API, with a token or a session.
 *
 * @param url Where to.
 * @param options Who asks for what.
 */
export async function ask(
  url: string,
  { token, cookie, body, method = body === undefined ? "GET" : "POST" }: {
    readonly token?: string;
    readonly cookie?: string;
    readonly body?: unknown;
    readonly method?: string;
  } = {},
): Promise<Response> {
  return await fetch(url, {
    method,
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cookie === undefined ? {} : { cookie, origin: new URL(url).origin }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The secrets that a hive has made by its first start. */
export async function addHiveSecrets(
  { secrets, state }: Pick<MarkerScene, "secrets" | "state">,
  hive: Pick<RunningHive, "token">,
): Promise<string> {
  await addKeys(secrets, `${state}/hive`);
  const belongs = `${state}/operator.token`;
  const token = (await Deno.readTextFile(belongs)).trim();
  secrets.addText({ name: "the operator token", belongs }, token);
  addEnrolmentToken(secrets, hive.token);
  return token;
}

/** Looks for every key of a folder: those of certificates, and seeds in hexadecimal. */
export async function addKeys(secrets: Secrets, folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!/\.key\b/.test(name)) continue;
    const belongs = `${folder}/${name}`;
    const text = (await Deno.readTextFile(belongs)).trim();
    const secret = { name, belongs };
    if (text.includes("PRIVATE KEY")) await secrets.addKey(secret, text);
    else secrets.addBytes(secret, Uint8Array.fromHex(text));
  }
}

export function addEnrolmentToken(secrets: Secrets, text: string): void {
  secrets.addText({ name: "an enrolment token" }, decodeToken(text).secret);
}
