import { createHash } from "node:crypto";
import type { Tamper } from "./tamper.ts";

/** Files of the agent that are looked at, at most. */
export const OWN_FILES_MAX = 64;
/** Up to this length a file's content counts, in bytes; of a longer one all that stat(2) says. */
const HASHED_BYTES_MAX = 16 * 1024 * 1024;

interface Seen {
  readonly identity: string;
  /** SHA-256; `undefined` for a file that is too long. */
  readonly hash: string | undefined;
}

/** Watches over the files that the agent runs from. */
export class OwnFiles {
  readonly #seen = new Map<string, Seen | undefined>();

  /** @param paths The files; how they are now is how they should be. */
  constructor(paths: readonly string[]) {
    for (const path of paths.slice(0, OWN_FILES_MAX)) this.#seen.set(path, look(path));
  }

  /**
   * Looks at them again.
   *
   * @returns What has changed since the last look, each once.
   */
  check(): readonly Tamper[] {
    const found: Tamper[] = [];
    for (const [path, before] of this.#seen) {
      const now = look(path, before);
      if (now?.identity === before?.identity) continue;
      this.#seen.set(path, now);
      // Touched, or copied over itself: what it holds is the same.
      if (now !== undefined && before?.hash !== undefined && now.hash === before.hash) continue;
      found.push({ what: "file_changed", object: path, detail: difference(before, now) });
    }
    return found;
  }
}

function difference(before: Seen | undefined, now: Seen | undefined): string {
  if (before === undefined) return "it was not there";
  if (now === undefined) return "it was removed, or cannot be read any more";
  const [was, is] = [before.hash ?? before.identity, now.hash ?? now.identity];
  return `it was ${was} and is ${is}`;
}

function look(path: string, before?: Seen): Seen | undefined {
  try {
    const { isFile, dev, ino, size, mtime, ctime } = Deno.statSync(path);
    if (!isFile) return undefined;
    // The second time is the kernel's: who puts the first one back cannot set it.
    const identity =
      `${dev}:${ino ?? 0}, ${size} bytes, of ${mtime?.toISOString() ?? "no time"}, ` +
      `changed ${ctime?.toISOString() ?? "at no time"}`;
    if (identity === before?.identity) return before;
    const hash = size > HASHED_BYTES_MAX
      ? undefined
      : `SHA-256 ${createHash("sha256").update(Deno.readFileSync(path)).digest("hex")}`;
    return { identity, hash };
  } catch {
    return undefined;
  }
}
