import { LINE_BYTES_MAX } from "./log_event.ts";

const NEWLINE = 10;
const DECODER = new TextDecoder();

/** Makes lines of bytes as they come: a line that is not whole yet waits for its end. */
export class LineBuffer {
  #kept: Uint8Array[] = [];
  #bytes = 0;
  #tooLong = 0;
  #isInside = false;

  /** Lines so far that were longer than {@linkcode LINE_BYTES_MAX} and are left out. */
  get tooLong(): number {
    return this.#tooLong;
  }

  /** Bytes of the line that is not whole yet. */
  get waiting(): number {
    return this.#bytes;
  }

  /**
   * Takes bytes.
   *
   * @param chunk Bytes; what is kept of them is copied.
   * @returns Whole lines without their ends: UTF-8, with U+FFFD for what is none.
   */
  take(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = this.#isInside ? chunk.indexOf(NEWLINE) + 1 : 0;
    if (this.#isInside && start === 0) return lines;
    this.#isInside = false;
    for (let end = chunk.indexOf(NEWLINE, start); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      if (this.#bytes > LINE_BYTES_MAX) this.#tooLong++;
      else lines.push(this.#line());
      this.forget();
      start = end + 1;
    }
    this.#keep(chunk.slice(start));
    return lines;
  }

  /** Lets go of a line that is not whole. */
  forget(): void {
    [this.#kept, this.#bytes, this.#isInside] = [[], 0, false];
  }

  /** What comes next may begin inside a line: up to its end it is left out. */
  beginInside(): void {
    this.forget();
    this.#isInside = true;
  }

  #keep(part: Uint8Array): void {
    this.#bytes += part.length;
    // Of a line that is too long nothing is kept: only its end is waited for.
    if (this.#bytes > LINE_BYTES_MAX) this.#kept = [];
    else if (part.length > 0) this.#kept.push(part);
  }

  #line(): string {
    const [only] = this.#kept;
    if (this.#kept.length === 1 && only !== undefined) return DECODER.decode(only);
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#kept) {
      all.set(part, at);
      at += part.length;
    }
    return DECODER.decode(all);
  }
}
