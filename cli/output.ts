import { ImmuneError } from "../common/config/errors.ts";

/** Pause before a stream that is full for now is tried again, in milliseconds. */
const FULL_PAUSE_MS = 5;
/** Longest wait for a slow reader when the program ends, in milliseconds. */
const SETTLE_MS = 1000;

const UTF8 = new TextEncoder();

/** The reader of standard output has gone: nothing more is wanted, and that is no failure. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/**
 * Writes a text and a line end to standard output, and waits until it is taken.
 *
 * @param text Lines, without the last line end.
 * @throws {OutputClosed} when its reader has gone.
 * @throws {ImmuneError} `OUTPUT_UNWRITABLE` when it cannot be written, as on a full disk.
 */
export function print(text: string): void {
  const bytes = UTF8.encode(`${text}\n`);
  for (let at = 0; at < bytes.length;) {
    try {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw outputError(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PAUSE_MS);
    }
  }
}

/**
 * Writes a message to standard error. Where that is not possible it is lost: there is nowhere left
 * to say so, and what the program does is worth more than what it says.
 *
 * @param text Lines, without the last line end.
 */
export function tell(text: string): void {
  try {
    console.error(text);
  } catch {
    // See above.
  }
}

/** Standard output for a program that must go on while its reader is slow. */
export class OutputQueue {
  #last: Promise<void> = Promise.resolve();

  /**
   * Writes a text and a line end after all that was given before. What waits is the caller's to
   * bound.
   *
   * @param text Lines, without the last line end.
   * @returns Settled when it is taken; it rejects as {@linkcode print} throws.
   */
  write(text: string): Promise<void> {
    const written = this.#last.then(() => writeAll(UTF8.encode(`${text}\n`)));
    this.#last = written.catch(() => undefined);
    return written;
  }

  /** Waits until everything is taken, for a second at most. */
  async settle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, SETTLE_MS);
    await Promise.race([this.#last, promise]);
    clearTimeout(timer);
  }
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    try {
      at += await Deno.stdout.write(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw outputError(error);
      await new Promise((resolve) => setTimeout(resolve, FULL_PAUSE_MS));
    }
  }
}

function outputError(cause: unknown): Error {
  if (cause instanceof Deno.errors.BrokenPipe) return new OutputClosed("No reader", { cause });
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError("OUTPUT_UNWRITABLE", `Cannot write to standard output: ${why}`, { cause });
}
