import { ImmuneError } from "../config/errors.ts";
import { JSON_BYTES_MAX, JSON_DEPTH_MAX, JSON_VALUES_MAX } from "./limits.ts";

/**
 * Reads JSON from elsewhere: how deep it goes and how many values it has is bounded before anything
 * is made of it.
 *
 * @param chunks Its bytes.
 * @returns The value.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it is no JSON or over a bound.
 * @throws what reading the chunks throws.
 */
export async function readJson(chunks: AsyncIterable<Uint8Array>): Promise<unknown> {
  const guard = new JsonGuard();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > JSON_BYTES_MAX) throw malformed(`it is over ${JSON_BYTES_MAX} bytes`);
    guard.look(chunk);
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  try {
    return JSON.parse(parts.join(""));
  } catch (cause) {
    // What V8 says shows a piece of the input, however odd: its kind is enough.
    const why = cause instanceof SyntaxError ? "it is no JSON" : "it cannot be held";
    throw malformed(why, cause);
  }
}

const QUOTE = 0x22;
const COMMA = 0x2C;
const BACKSLASH = 0x5C;
/** `[` and `{` are this, without the bit that tells them apart; `]` and `}` two more. */
const OPEN = 0x5B;
const CLOSE = 0x5D;
const CURLY = 0x20;

/** Counts depth and values over bytes, in order. */
class JsonGuard {
  #depth = 0;
  #values = 0;
  #isText = false;
  #isEscaped = false;

  look(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at = this.#isText ? this.#text(bytes, at) : this.#between(bytes, at);
  }

  /** Goes on in a string, up to behind its end. */
  #text(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) {
        this.#isText = false;
        return at + 1;
      }
    }
    return bytes.length;
  }

  /** Goes on between strings, up to behind the start of one. */
  #between(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.#isText = true;
        return at + 1;
      }
      const bracket = byte & ~CURLY;
      if (byte === COMMA || bracket === OPEN) this.#count();
      if (bracket === OPEN && ++this.#depth > JSON_DEPTH_MAX) {
        throw malformed(`it is nested deeper than ${JSON_DEPTH_MAX}`);
      }
      if (bracket === CLOSE) this.#depth--;
    }
    return bytes.length;
  }

  #count(): void {
    if (++this.#values > JSON_VALUES_MAX) throw malformed(`it has over ${JSON_VALUES_MAX} values`);
  }
}

function malformed(why: string, cause?: unknown): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot read the feed: ${why}`, { cause });
}
