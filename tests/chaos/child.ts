/** A line that a child printed. */
export type Line = Readonly<Record<string, unknown>>;

/** A process that prints lines of JSON, which can be killed at any moment. */
export class Child {
  readonly #process: Deno.ChildProcess;
  readonly #lines: Line[] = [];
  readonly #ended: Promise<Deno.CommandStatus>;
  #woken = Promise.withResolvers<void>();
  #over = false;

  /**
   * Starts it.
   *
   * @param script File of this folder.
   * @param options Arguments, the whole environment (default: this process's), standard input.
   */
  constructor(
    script: string,
    options: {
      readonly args: readonly string[];
      readonly environment?: Readonly<Record<string, string>>;
      readonly input?: string;
    },
  ) {
    const path = new URL(script, import.meta.url).pathname;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", path, ...options.args],
      ...(options.environment === undefined ? {} : { clearEnv: true, env: options.environment }),
      stdin: options.input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    if (options.input !== undefined) this.#give(options.input);
    this.#ended = this.#listen();
  }

  /** Lines so far. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Settled when it has ended and all its lines were read. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#ended;
  }

  /**
   * Waits for a line with a field, from the first one on.
   *
   * @param field Its name.
   * @returns The line, or `undefined` when it ended without one.
   */
  async line(field: string): Promise<Line | undefined> {
    const lines = await this.until((all) => this.#over || all.some((line) => field in line));
    return lines.find((line) => field in line);
  }

  /**
   * Waits until its lines are as they should be, or it has ended.
   *
   * @param holds Looks at the lines so far.
   * @returns The lines.
   */
  async until(holds: (lines: readonly Line[]) => boolean): Promise<readonly Line[]> {
    while (!holds(this.#lines) && !this.#over) await this.#woken.promise;
    return this.#lines;
  }

  /** Kills it, wherever it is, and waits for its end. */
  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended already, which its status tells.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#ended;
  }

  async #give(input: string): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }

  async #listen(): Promise<Deno.CommandStatus> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      // A line without its end may be cut by a kill.
      rest = lines.pop() ?? "";
      for (const line of lines) this.#lines.push(JSON.parse(line));
      this.#wake();
    }
    const status = await this.#process.status;
    this.#over = true;
    this.#wake();
    return status;
  }

  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }
}
