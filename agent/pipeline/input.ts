import { ImmuneError } from "../../common/config/errors.ts";
import { BATCH_MAGIC } from "../../common/wire/mod.ts";

/** Bytes that tell a batch from text. */
const MAGIC_BYTES = 4;
/** Names of standard input: Deno opens no file below /dev without all permissions. */
const STANDARD_INPUT: ReadonlySet<string> = new Set(["-", "/dev/stdin"]);

/** Bytes to replay, which are read once: a pipe is as good as a file. */
export interface Input {
  /** True for batches, as a journal segment holds them; false for anything else, also nothing. */
  readonly isRecording: boolean;
  /** All bytes from the start, in chunks of any size. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Opens what is to be replayed and looks at its first bytes.
 *
 * @param file Path, or `-` for standard input.
 * @returns The input; the file is closed when its chunks were read, or were given up.
 * @throws {ImmuneError} `FILE_UNREADABLE`, also from reading the chunks.
 */
export async function openInput(file: string): Promise<Input> {
  const chunks = readChunks(file);
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    first.push(next.value);
    bytes += next.value.length;
  }
  const start = new Uint8Array(first.flatMap((chunk) => [...chunk.subarray(0, MAGIC_BYTES)]));
  return {
    isRecording: start.length >= MAGIC_BYTES &&
      new DataView(start.buffer).getUint32(0, true) === BATCH_MAGIC,
    chunks: resumed(first, chunks),
  };
}

async function* resumed(
  first: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    yield* rest;
  } finally {
    // Also when nobody wants the rest: the file is closed then.
    await rest.return(undefined);
  }
}

async function* readChunks(file: string): AsyncGenerator<Uint8Array> {
  try {
    const stream = STANDARD_INPUT.has(file)
      ? Deno.stdin.readable
      : (await Deno.open(file)).readable;
    yield* stream;
  } catch (cause) {
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read "${file}": ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Deno.errors.NotCapable) {
    return `this program may not open files there; give its bytes on standard input, as "-"`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
