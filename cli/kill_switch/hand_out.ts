import { ImmuneError, removeIfThere, syncFolder } from "../../common/config/mod.ts";
import { print, tell } from "../output.ts";
import { LineReader } from "./line_reader.ts";

/** Longest answer that is read, in characters. */
const ANSWER_MAX = 256;
/** Says that the shares are written down. */
const WRITTEN = "written";

/** Shares that are where their holders get them. */
export interface HandedOut {
  /** A path each; empty when they are on paper. */
  readonly files: readonly string[];
  /** Removes what was written: nobody has use for it. */
  takeBack(): void;
}

/**
 * Writes each share to a file of its own, mode 0600.
 *
 * @param shares Texts.
 * @param folder Where to; it is made.
 * @throws {ImmuneError} `STATE_UNUSABLE` when one cannot be written or is there already; none is
 * left then.
 */
export function intoFolder(shares: readonly string[], folder: string): HandedOut {
  const files: string[] = [];
  const takeBack = (): void => files.forEach((file) => removeIfThere(file));
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [i, text] of shares.entries()) {
      const path = `${folder}/share-${i + 1}.txt`;
      using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
      files.push(path);
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      file.syncDataSync();
    }
    syncFolder(folder);
    return { files, takeBack };
  } catch (cause) {
    takeBack();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot write shares to "${folder}": ${why}`, {
      cause,
    });
  }
}

/**
 * Prints the shares, and waits until somebody says that they are written down.
 *
 * @param shares Texts.
 * @throws {ImmuneError} `USAGE` when nobody does.
 */
export async function onPaper(shares: readonly string[]): Promise<HandedOut> {
  for (const share of shares) print(share);
  tell(`Nothing is sent yet. Type "${WRITTEN}" once every share is on paper:`);
  const reader = new LineReader({ charactersMax: ANSWER_MAX, isShown: true });
  try {
    if ((await reader.next())?.trim() === WRITTEN) return { files: [], takeBack: () => {} };
  } finally {
    reader.end();
  }
  throw new ImmuneError(
    "USAGE",
    `Cannot make a stop key: nobody said "${WRITTEN}"; these shares are worthless, begin anew`,
  );
}
