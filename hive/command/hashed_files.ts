import { createHash } from "node:crypto";
import { ImmuneError, removeIfThere, replaceFile } from "../../common/config/mod.ts";

const HASH = /^[0-9a-f]{64}$/;

/** Where the files of one sort lie. */
export interface HashedFilesOptions {
  /** Their folder; it is made with the first. */
  readonly folder: string;
  /** What one is called, for people: `pack`. */
  readonly sort: string;
  /** Longest of them, in bytes. */
  readonly bytesMax: number;
}

/** Files that go by their SHA-256, in a folder of their own. */
export class HashedFiles {
  readonly #options: HashedFilesOptions;

  /** @param options Where they lie. */
  constructor(options: HashedFilesOptions) {
    this.#options = options;
  }

  /**
   * Keeps one.
   *
   * @param bytes What it holds.
   * @returns Its SHA-256.
   * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be written.
   */
  add(bytes: Uint8Array): string {
    const { folder, sort } = this.#options;
    const hash = hashOf(bytes);
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      replaceFile(this.#path(hash), bytes);
      return hash;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `Cannot keep a ${sort} in "${folder}": ${why}`;
      throw new ImmuneError("STATE_UNUSABLE", message, { cause });
    }
  }

  /**
   * One of them.
   *
   * @param hash Its hash; anything else is no name of a file.
   * @returns `undefined` when it is not there, or no longer what its name says.
   */
  get(hash: string): Uint8Array<ArrayBuffer> | undefined {
    if (!HASH.test(hash)) return undefined;
    try {
      if (Deno.statSync(this.#path(hash)).size > this.#options.bytesMax) return undefined;
      const bytes = Deno.readFileSync(this.#path(hash));
      return hashOf(bytes) === hash ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Sets when one was last wanted.
   *
   * @param hash Its hash.
   * @param atMs Unix time in milliseconds.
   */
  mark(hash: string, atMs: number): void {
    Deno.utimeSync(this.#path(hash), atMs / 1000, atMs / 1000);
  }

  /** What there is, with the time of each (`mark`, or when it was written), newest first. */
  list(): readonly { readonly hash: string; readonly atMs: number }[] {
    try {
      return [...Deno.readDirSync(this.#options.folder)].filter(({ name }) => HASH.test(name))
        .map(({ name: hash }) => ({
          hash,
          atMs: Deno.statSync(this.#path(hash)).mtime?.getTime() ?? 0,
        }))
        .sort((a, b) => b.atMs - a.atMs);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** Removes one. */
  remove(hash: string): void {
    removeIfThere(this.#path(hash));
  }

  #path(hash: string): string {
    return `${this.#options.folder}/${hash}`;
  }
}

/**
 * The name that something goes by.
 *
 * @param bytes What it holds.
 * @returns Its SHA-256, 64 hexadecimal digits.
 */
export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
