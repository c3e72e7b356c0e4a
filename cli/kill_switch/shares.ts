import { ImmuneError } from "../../common/config/mod.ts";
import { SHARE_TEXT_MAX } from "../../common/keys/mod.ts";
import { tell } from "../output.ts";

const CONTROL_C = "\x03";
const DELETE = "\x7f";

/**
 * Reads holders' shares: from files, else from standard input, a line each. They never come from
 * the command line, which everybody on the host can read; on a terminal they are not shown.
 *
 * @param files Paths; none = standard input.
 * @param needed How many lines are read from there.
 * @returns A text each.
 * @throws {ImmuneError} `FILE_UNREADABLE`.
 */
export async function readShares(
  files: readonly string[],
  needed: number,
): Promise<readonly string[]> {
  if (files.length > 0) return files.map(readShareFile);
  const reader = new LineReader();
  const shares: string[] = [];
  try {
    while (shares.length < needed) {
      if (Deno.stdin.isTerminal()) tell(`Share ${shares.length + 1} of ${needed} (not shown):`);
      const line = await reader.next();
      if (line === undefined) break;
      if (line.trim() !== "") shares.push(line);
    }
    return shares;
  } finally {
    reader.end();
  }
}

function readShareFile(path: string): string {
  try {
    if (Deno.statSync(path).size > SHARE_TEXT_MAX) throw new Error("it is too long to be a share");
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read share "${path}": ${why}`, { cause });
  }
}

/** Lines of standard input, without an echo where that is a terminal. */
class LineReader {
  readonly #isTerminal = Deno.stdin.isTerminal();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor() {
    if (this.#isTerminal) Deno.stdin.setRaw(true);
    this.#reader = Deno.stdin.readable.getReader();
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.search(/[\r\n]/);
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return erased(line);
      }
      if (this.#text.includes(CONTROL_C)) return undefined;
      if (this.#text.length > SHARE_TEXT_MAX) {
        throw new ImmuneError("SHARE_INVALID", "Cannot use share: it is too long a line");
      }
      const { done, value } = await this.#reader.read();
      if (done) return this.#text === "" ? undefined : this.#rest();
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  end(): void {
    if (this.#isTerminal) Deno.stdin.setRaw(false);
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
