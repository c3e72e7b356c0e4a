/** First and longest wait before a child that ended is started again, in milliseconds. */
export const RESTART_MS = { first: 500, longest: 30_000 } as const;
/** A child that ran this long starts again without a longer wait, in milliseconds. */
const STEADY_MS = 60_000;
/** How long a child has to stop by itself, in milliseconds. */
const STOP_MS = 10_000;
/** Longest line of a child that is handed on, in characters; a longer one is let go. */
const LINE_MAX = 64 * 1024;

/** What a child is started with. */
export interface ChildSpec {
  /** Name for messages. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Its whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Called for each line of its standard output. */
  readonly onLine: (line: string) => void;
  /** Called when it ended without being asked, before it is started again. */
  readonly onEnd: (code: number, waitMs: number) => void;
}

/** A child process that is started again when it ends without being asked. */
export class Child {
  readonly #spec: ChildSpec;
  #process: Deno.ChildProcess | undefined;
  #stopping = false;
  #wakeUp: (() => void) | undefined;
  readonly #ended: Promise<void>;

  /** @param spec What to start; it starts at once. */
  constructor(spec: ChildSpec) {
    this.#spec = spec;
    this.#ended = this.#run();
  }

  /** From now on its end is expected: it is not started again. */
  expectEnd(): void {
    this.#stopping = true;
  }

  /** Has it read its rules again. */
  reload(): void {
    this.#signal("SIGHUP");
  }

  /** Ends it: SIGTERM, and SIGKILL after 10 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeUp?.();
    this.#signal("SIGTERM");
    const kill = setTimeout(() => this.#signal("SIGKILL"), STOP_MS);
    await this.#ended;
    clearTimeout(kill);
  }

  async #run(): Promise<void> {
    let waitMs: number = RESTART_MS.first;
    while (!this.#stopping) {
      const startedAt = performance.now();
      const code = await this.#once();
      if (this.#stopping) return;
      if (performance.now() - startedAt >= STEADY_MS) waitMs = RESTART_MS.first;
      this.#spec.onEnd(code, waitMs);
      await this.#wait(waitMs);
      waitMs = Math.min(waitMs * 2, RESTART_MS.longest);
    }
  }

  async #once(): Promise<number> {
    const [program = "", ...args] = this.#spec.command;
    this.#process = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...this.#spec.environment },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    // Asked to stop while it was being started.
    if (this.#stopping) this.#signal("SIGTERM");
    const [status] = await Promise.all([this.#process.status, this.#read(this.#process.stdout)]);
    this.#process = undefined;
    return status.code;
  }

  async #read(stdout: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_MAX) rest = "";
      for (const line of lines) this.#spec.onLine(line);
    }
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#process?.kill(signal);
    } catch {
      // It has ended already.
    }
  }
}
