import { ImmuneError } from "../../common/config/mod.ts";
import { SHARE_TEXT_MAX } from "../../common/keys/mod.ts";
import { tell } from "../output.ts";
import { LineReader } from "./line_reader.ts";

/**
 * Reads holders' shares: from files, else from standard input, a line each. They never come from
 * the command line, which everybody on the host can read; on a terminal they are not shown.
 *
 * @param files Paths; none = standard input.
 * @param needed How many lines are read from there.
 * @returns A text each.
 * @throws {ImmuneError} `FILE_UNREADABLE`, `INPUT_MALFORMED`.
 */
export async function readShares(
  files: readonly string[],
  needed: number,
): Promise<readonly string[]> {
  if (files.length > 0) return files.map(readShareFile);
  const reader = new LineReader({ charactersMax: SHARE_TEXT_MAX });
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
