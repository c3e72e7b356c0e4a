import { ImmuneError } from "./errors.ts";

/** Most bytes of a lock file that are read to name its holder. */
const HOLDER_BYTES_MAX = 32;

/**
 * A lock that one process at a time holds, by flock(2) on a file that carries the holder's pid. The
 * kernel lets it go when the process ends, however it ends.
 */
export class FileLock implements Disposable {
  readonly #file: Deno.FsFile;
  #held = true;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Takes the lock, or refuses at once. The file is made with mode 0600 and stays.
   *
   * @param path Path of the lock file.
   * @returns The lock.
   * @throws {ImmuneError} `STATE_LOCKED` when another holds it, `STATE_UNUSABLE` when the file
   * cannot be made.
   */
  static acquire(path: string): FileLock {
    const file = openLockFile(path);
    try {
      const lock = FileLock.#locked(file, path);
      file.truncateSync(0);
      file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
      return lock;
    } catch (cause) {
      file.close();
      if (cause instanceof ImmuneError) throw cause;
      throw unusable(path, cause);
    }
  }

  /**
   * Takes the lock of a file that is there already, whoever owns it: the file is opened for reading
   * alone and not made, so that nothing changes behind a link that somebody put in its place.
   *
   * @param path Path of the lock file.
   * @returns The lock; `undefined` where there is no such file, so that nobody holds it.
   * @throws {ImmuneError} `STATE_LOCKED` when another holds it, `STATE_UNUSABLE` when the file
   * cannot be read or is none.
   */
  static acquireExisting(path: string): FileLock | undefined {
    let file: Deno.FsFile;
    try {
      // A pipe in its place would hold the one who opens it.
      if (!Deno.lstatSync(path).isFile) throw new TypeError("it is no file");
      file = Deno.openSync(path, { read: true });
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw unusable(path, cause);
    }
    try {
      return FileLock.#locked(file, path);
    } catch (cause) {
      file.close();
      throw cause;
    }
  }

  static #locked(file: Deno.FsFile, path: string): FileLock {
    if (file.tryLockSync(true)) return new FileLock(file);
    throw new ImmuneError(
      "STATE_LOCKED",
      `Cannot lock "${path}": ${holder(file)} holds it; stop that process first`,
    );
  }

  /** Lets the lock go. */
  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    this.#file.close();
  }
}

function openLockFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): ImmuneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot lock "${path}": ${why}; check the folder's owner and disk`,
    { cause },
  );
}

function holder(file: Deno.FsFile): string {
  const bytes = new Uint8Array(HOLDER_BYTES_MAX);
  const count = file.readSync(bytes) ?? 0;
  const pid = /^\d+/.exec(new TextDecoder().decode(bytes.subarray(0, count)));
  return pid === null ? "another process" : `the process with pid ${pid[0]}`;
}
