import { DIRECTIVE_BYTES_MAX } from "./directive.ts";

/** Bytes before each frame: its length, u32 little-endian; 0 = only that the line holds. */
export const FRAME_PREFIX_BYTES = 4;
/** Longest frame of the downlink, in bytes. */
export const FRAME_BYTES_MAX = DIRECTIVE_BYTES_MAX;
/** A frame that says only that the line holds. */
export const KEEP_ALIVE: Uint8Array<ArrayBuffer> = new Uint8Array(FRAME_PREFIX_BYTES);

/**
 * A frame of the downlink.
 *
 * @param bytes A directive as it goes to agents.
 * @returns Its length and it.
 */
export function encodeFrame(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_PREFIX_BYTES + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length, true);
  frame.set(bytes, FRAME_PREFIX_BYTES);
  return frame;
}

/** Puts frames together from a stream's pieces. What it holds is never more than one frame. */
export class FrameReader {
  readonly #prefix = new Uint8Array(FRAME_PREFIX_BYTES);
  #prefixLength = 0;
  #frame: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;

  /**
   * Takes the next piece.
   *
   * @param piece Bytes as they came.
   * @returns Frames that are whole now; an empty one for each that only keeps the line.
   * @throws {RangeError} at a frame over the bound: the stream cannot be read any further.
   */
  push(piece: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const frames: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < piece.length;) {
      at += this.#frame === undefined ? this.#readPrefix(piece, at) : this.#readFrame(piece, at);
      if (this.#frame !== undefined && this.#length === this.#frame.length) {
        frames.push(this.#frame);
        this.#frame = undefined;
        this.#length = 0;
      }
    }
    return frames;
  }

  /** True when a stream that ends here was cut in the middle of a frame. */
  get isInside(): boolean {
    return this.#prefixLength > 0 || this.#frame !== undefined;
  }

  #readPrefix(piece: Uint8Array, at: number): number {
    const taken = piece.subarray(at, at + FRAME_PREFIX_BYTES - this.#prefixLength);
    this.#prefix.set(taken, this.#prefixLength);
    this.#prefixLength += taken.length;
    if (this.#prefixLength < FRAME_PREFIX_BYTES) return taken.length;
    this.#prefixLength = 0;
    const length = new DataView(this.#prefix.buffer).getUint32(0, true);
    if (length > FRAME_BYTES_MAX) throw new RangeError(`A frame of ${length} bytes`);
    this.#frame = new Uint8Array(length);
    return taken.length;
  }

  #readFrame(piece: Uint8Array, at: number): number {
    const frame = this.#frame ?? new Uint8Array(0);
    const taken = piece.subarray(at, at + frame.length - this.#length);
    frame.set(taken, this.#length);
    this.#length += taken.length;
    return taken.length;
  }
}
