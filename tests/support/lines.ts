/** Longest wait for a line, in milliseconds. */
const WAIT_MS = 60_000;
/** Longest wait for the line of a program that has to start first. */
export const START_WAIT_MS = 120_000;

/**
 * Waits for a line of a stream.
 *
 * The rest of the stream stays readable: call again for the next line.
 */
export class Lines {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  /** @param stream Output of a child process. */
  constructor(stream: ReadableStream<Uint8Array>) {
    const decoder = new TextDecoderStream();
    stream.pipeTo(decoder.writable as WritableStream<Uint8Array>).catch(() => undefined);
    this.#reader = decoder.readable.getReader();
  }

  /**
   * The next line that a test accepts.
   *
   * @param accept Test of a line.
   * @param options `waitMs`: longest wait, default 60 s.
   * @returns The line.
   * @throws {Error} when the stream ends, or nothing was accepted in time.
   */
  async find(
    accept: (line: string) => boolean,
    { waitMs = WAIT_MS }: { readonly waitMs?: number } = {},
  ): Promise<string> {
    const deadline = AbortSignal.timeout(waitMs);
    const seen: string[] = [];
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        if (accept(line)) return line;
        seen.push(line);
        continue;
      }
      const next = await Promise.race([this.#reader.read(), expired(deadline)]);
      if (next === undefined) throw new Error(`No such line in time, but: ${seen.join("\n")}`);
      if (next.done) throw new Error(`The stream ended without it, after: ${seen.join("\n")}`);
      this.#rest += next.value;
    }
  }

  /** Reads and forgets the rest. */
  async drain(): Promise<void> {
    while (!(await this.#reader.read()).done);
  }
}

/** Resolves when a signal is aborted. */
export function expired(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
