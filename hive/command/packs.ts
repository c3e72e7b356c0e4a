import { createHash } from "node:crypto";
import { ImmuneError, replaceFile } from "../../common/config/mod.ts";
import { PACK_BYTES_MAX, readPack } from "../../common/wire/pack.ts";

/** Name of the folder in the hive's folder. */
export const PACKS_FOLDER = "packs";
/** Packs that are kept; the oldest go. */
export const PACKS_KEPT = 32;

const HASH = /^[0-9a-f]{64}$/;

/** Packs of rules by their hash, a file each. */
export class PackFiles {
  readonly #folder: string;

  /** @param folder The hive's folder. */
  constructor(folder: string) {
    this.#folder = `${folder}/${PACKS_FOLDER}`;
  }

  /**
   * Keeps a pack; the oldest go over the bound.
   *
   * @param bytes The pack.
   * @returns Its SHA-256.
   * @throws {ImmuneError} `INPUT_MALFORMED` when it is none, `STATE_UNUSABLE`.
   */
  add(bytes: Uint8Array): string {
    readPack(bytes);
    const hash = createHash("sha256").update(bytes).digest("hex");
    try {
      Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      replaceFile(`${this.#folder}/${hash}`, bytes);
      this.#drop();
      return hash;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ImmuneError("STATE_UNUSABLE", `Cannot keep a pack in "${this.#folder}": ${why}`, {
        cause,
      });
    }
  }

  /**
   * A pack.
   *
   * @param hash Its hash; anything else is no name of a file.
   */
  get(hash: string): Uint8Array<ArrayBuffer> | undefined {
    if (!HASH.test(hash)) return undefined;
    try {
      const path = `${this.#folder}/${hash}`;
      if (Deno.statSync(path).size > PACK_BYTES_MAX) return undefined;
      return Deno.readFileSync(path);
    } catch {
      return undefined;
    }
  }

  #drop(): void {
    const files = [...Deno.readDirSync(this.#folder)].filter(({ name }) => HASH.test(name))
      .map(({ name }) => ({
        path: `${this.#folder}/${name}`,
        atMs: Deno.statSync(`${this.#folder}/${name}`).mtime?.getTime() ?? 0,
      }))
      .sort((a, b) => b.atMs - a.atMs);
    for (const { path } of files.slice(PACKS_KEPT)) Deno.removeSync(path);
  }
}
