import { replaceFile } from "../config/durable_file.ts";
import { ImmuneError } from "../config/errors.ts";
import { FileLock } from "../config/lock.ts";
import { checkFolder } from "../config/state.ts";
import { SET_BYTES_MAX } from "./limits.ts";
import { IndicatorSet } from "./set.ts";
import { encodeSet, SetImage } from "./set_file.ts";

/** Name of the set in its folder. */
const SET = "set";
const LOCK = "lock";

/**
 * The indicators of a host in their folder, for who changes them: one process at a time. A change
 * is written as a whole: whatever ends the process, the folder has the set before or the one after.
 *
 * @example
 * ```ts
 * import { IndicatorStore, makeIndicator } from "./mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const nowMs = Date.now();
 * {
 *   using store = IndicatorStore.open(folder);
 *   const listed = makeIndicator({ type: "path", value: "/tmp/.x/m", source: "herd", id: "7" }, nowMs);
 *   if (typeof listed !== "string") store.set.add([listed], nowMs);
 *   store.save();
 * }
 * using store = IndicatorStore.open(folder);
 * console.assert(store.set.withdraw({ source: "herd", id: "7" }) === 1);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class IndicatorStore implements Disposable {
  readonly set: IndicatorSet;
  readonly #folder: string;
  readonly #lock: FileLock;

  private constructor(folder: string, lock: FileLock) {
    this.#folder = folder;
    this.#lock = lock;
    this.set = readIndicators(folder)?.toSet() ?? new IndicatorSet();
  }

  /**
   * Opens the folder, and makes it where there is none (mode 0700).
   *
   * @param folder `StatePaths.indicators`.
   * @returns The store, locked.
   * @throws {ImmuneError} `STATE_LOCKED` when another process changes it, `STATE_UNUSABLE`,
   * `INDICATORS_INVALID` when the set is damaged.
   */
  static open(folder: string): IndicatorStore {
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw unusable(folder, cause);
    }
    checkFolder(folder, Deno.uid());
    const lock = FileLock.acquire(`${folder}/${LOCK}`);
    try {
      return new IndicatorStore(folder, lock);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Puts the set on the disk.
   *
   * @throws {ImmuneError} `INDICATORS_INVALID` when it is over its bound in bytes, `STATE_UNUSABLE`
   * when it cannot be written; the one on the disk stays.
   */
  save(): void {
    const bytes = encodeSet(this.set);
    try {
      replaceFile(`${this.#folder}/${SET}`, bytes);
    } catch (cause) {
      removeIfThere(`${this.#folder}/${SET}.new`);
      throw unusable(this.#folder, cause);
    }
  }

  /** Lets the folder go. What was not saved is not kept. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

/**
 * Tells whether anything was ever listed.
 *
 * @param folder `StatePaths.indicators`.
 */
export function hasIndicators(folder: string): boolean {
  try {
    return Deno.statSync(`${folder}/${SET}`).isFile;
  } catch {
    // What is wrong with it, if anything is, is told by who reads it.
    return false;
  }
}

/**
 * Reads the indicators of a host, for who only looks at them; no lock is taken.
 *
 * @param folder `StatePaths.indicators`.
 * @returns The set, or `undefined` when nothing was ever listed.
 * @throws {ImmuneError} `INDICATORS_INVALID` when it is damaged, `STATE_UNUSABLE` when it cannot be
 * read.
 */
export function readIndicators(folder: string): SetImage | undefined {
  const path = `${folder}/${SET}`;
  try {
    const { size } = Deno.statSync(path);
    if (size > SET_BYTES_MAX) {
      throw new ImmuneError(
        "INDICATORS_INVALID",
        `Cannot use "${path}": it has ${size} bytes, at most ${SET_BYTES_MAX} are read`,
      );
    }
    return SetImage.read(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unusable(path, error);
  }
}

/** What a full disk left of a write takes room that others need. */
function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is of no use, and no harm.
  }
}

function unusable(path: string, cause: unknown): ImmuneError {
  if (cause instanceof ImmuneError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot use "${path}": ${why}; name another state folder with --state`,
    { cause },
  );
}
