import { ImmuneError } from "../../common/config/mod.ts";

const CONTROL_C = "\x03";
const DELETE = "\x7f";

/** How lines are read. */
export interface LineReaderOptions {
  /** Most characters of a line. */
  readonly charactersMax: number;
  /** True shows on a terminal what is typed. Default false. */
  readonly isShown?: boolean;
}

/** Lines of standard input, without an echo where that is a terminal. */
export class LineReader {
  readonly #isRaw: boolean;
  readonly #charactersMax: number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  /** @param options How. */
  constructor({ charactersMax, isShown = false }: LineReaderOptions) {
    this.#charactersMax = charactersMax;
    this.#isRaw = !isShown && Deno.stdin.isTerminal();
    if (this.#isRaw) Deno.stdin.setRaw(true);
    this.#reader = Deno.stdin.readable.getReader();
  }

  /**
   * The next line.
   *
   * @returns `undefined` at the end of input.
   * @throws {ImmuneError} `INPUT_MALFORMED` for one that is too long.
   */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.search(/[\r\n]/);
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return erased(line);
      }
      if (this.#text.includes(CONTROL_C)) return undefined;
      if (this.#text.length > this.#charactersMax) {
        throw new ImmuneError("INPUT_MALFORMED", "Cannot read standard input: too long a line");
      }
      const { done, value } = await this.#reader.read();
      if (done) return this.#text === "" ? undefined : this.#rest();
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Lets standard input go, and what was read of it. */
  end(): void {
    if (this.#isRaw) Deno.stdin.setRaw(false);
    this.#text = "";
    this.#reader.releaseLock();
  }

  #rest(): string {
    const rest = this.#text;
    this.#text = "";
    return rest;
  }
}

/** What is left of a line that was corrected while it was typed. */
function erased(line: string): string {
  let text = "";
  for (const character of line) {
    text = character === DELETE ? text.slice(0, -1) : text + character;
  }
  return text;
}
