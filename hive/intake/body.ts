import { ImmuneError } from "../../common/config/errors.ts";

/** Options of {@linkcode readBody}. */
export interface ReadBodyOptions {
  /** Most bytes that are taken. */
  readonly bytesMax: number;
  /** Bytes that the sender announced (`Content-Length`); `undefined` = not announced. */
  readonly announced?: number | undefined;
  /** Bytes over `bytesMax` that are still read and thrown away. Default 0. */
  readonly drainBytesMax?: number;
  /** Code of the error when there are more. Default `BATCH_TOO_LARGE`. */
  readonly tooLarge?: "BATCH_TOO_LARGE" | "INPUT_MALFORMED";
}

/** A body in pieces, as both `Request.body` and node's request are. */
export type BodyChunks = AsyncIterable<Uint8Array>;

/**
 * Reads a body into one array of its own, never more than the bound.
 *
 * @param chunks The body; it is not closed when there is more than is taken, so that an answer can
 * still be sent.
 * @param options Bounds.
 * @returns The bytes, with an `ArrayBuffer` of exactly their length.
 * @throws {ImmuneError} with code `options.tooLarge` when there are more.
 */
export async function readBody(
  chunks: BodyChunks,
  options: ReadBodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytesMax, announced, drainBytesMax = 0, tooLarge = "BATCH_TOO_LARGE" } = options;
  // What was announced is a hint for the first allocation; what arrives is what counts.
  let buffer = new Uint8Array(Math.min(announced ?? 0, bytesMax));
  let length = 0;
  let over = (announced ?? 0) > bytesMax;
  let read = 0;
  const iterator = chunks[Symbol.asyncIterator]();
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    read += next.value.length;
    over ||= read > bytesMax;
    if (over) {
      if (read > bytesMax + drainBytesMax) break;
      continue;
    }
    if (read > buffer.length) buffer = grown(buffer, { length: read, bytesMax });
    buffer.set(next.value, length);
    length = read;
  }
  if (over) {
    throw new ImmuneError(tooLarge, `Cannot take a body over ${bytesMax} bytes`);
  }
  return length === buffer.length ? buffer : buffer.slice(0, length);
}

function grown(
  buffer: Uint8Array<ArrayBuffer>,
  { length, bytesMax }: { readonly length: number; readonly bytesMax: number },
): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(bytesMax, Math.max(length, 2 * buffer.length)));
  larger.set(buffer);
  return larger;
}
