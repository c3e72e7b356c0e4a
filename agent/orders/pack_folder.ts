import { removeIfThere, replaceFile } from "../../common/config/durable_file.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { readPack } from "../../common/wire/mod.ts";

/** Name of the folder in the agent's folder. */
export const PACKS_FOLDER = "packs";

/**
 * Unfolds packs of rules that a hive sent, a folder each, named by its hash.
 */
export class PackFolders {
  readonly #folder: string;

  /** @param agent The agent's folder. */
  constructor(agent: string) {
    this.#folder = `${agent}/${PACKS_FOLDER}`;
  }

  /**
   * Where a pack lies.
   *
   * @param hash Its hash.
   */
  path(hash: string): string {
    return `${this.#folder}/${hash}`;
  }

  /**
   * Whether a pack is there, whole.
   *
   * @param hash Its hash.
   */
  has(hash: string): boolean {
    try {
      return Deno.statSync(this.path(hash)).isDirectory;
    } catch {
      return false;
    }
  }

  /**
   * Unfolds a pack: its folder is there only when all of its files are.
   *
   * @param hash Its hash, which the caller has checked.
   * @param bytes The pack.
   * @throws {ImmuneError} `INPUT_MALFORMED` when it is none, `STATE_UNUSABLE` when it cannot be
   * written.
   */
  add(hash: string, bytes: Uint8Array): void {
    const files = readPack(bytes);
    const fresh = `${this.path(hash)}.new`;
    try {
      removeIfThere(fresh);
      Deno.mkdirSync(fresh, { recursive: true, mode: 0o700 });
      for (const { name, text } of files) replaceFile(`${fresh}/${name}`, text);
      removeIfThere(this.path(hash));
      Deno.renameSync(fresh, this.path(hash));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ImmuneError("STATE_UNUSABLE", `Cannot keep a pack in "${this.#folder}": ${why}`, {
        cause,
      });
    }
  }

  /**
   * Removes all packs but one.
   *
   * @param hash The one that stays; null = none.
   */
  keepOnly(hash: string | null): void {
    try {
      for (const { name } of Deno.readDirSync(this.#folder)) {
        if (name !== hash) removeIfThere(`${this.#folder}/${name}`);
      }
    } catch {
      // There is no such folder yet.
    }
  }
}
