import { createHash } from "node:crypto";
import { ImmuneError, replaceFile } from "../../common/config/mod.ts";
import { ANTIBODY_SET_BYTES_MAX } from "../../common/herd/set.ts";

/** Name of the folder in the hive's folder. */
export const ANTIBODIES_FOLDER = "antibodies";

const HASH = /^[0-9a-f]{64}$/;

/** Sets of antibodies that hosts are to have, by their hash, a file each. */
export class AntibodySetFiles {
  readonly #folder: string;

  /** @param folder The hive's folder. */
  constructor(folder: string) {
    this.#folder = `${folder}/${ANTIBODIES_FOLDER}`;
  }

  /**
   * Keeps a set.
   *
   * @param bytes As `writeAntibodySet` gave it.
   * @returns Its SHA-256.
   * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be written.
   */
  add(bytes: Uint8Array): string {
    const hash = createHash("sha256").update(bytes).digest("hex");
    try {
      Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      replaceFile(`${this.#folder}/${hash}`, bytes);
      return hash;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ImmuneError("STATE_UNUSABLE", `Cannot keep a set in "${this.#folder}": ${why}`, {
        cause,
      });
    }
  }

  /**
   * A set.
   *
   * @param hash Its hash; anything else is no name of a file.
   */
  get(hash: string): Uint8Array<ArrayBuffer> | undefined {
    if (!HASH.test(hash)) return undefined;
    try {
      const path = `${this.#folder}/${hash}`;
      if (Deno.statSync(path).size > ANTIBODY_SET_BYTES_MAX) return undefined;
      return Deno.readFileSync(path);
    } catch {
      return undefined;
    }
  }

  /**
   * Removes all but some.
   *
   * @param hashes Those that stay.
   */
  keepOnly(hashes: ReadonlySet<string>): void {
    try {
      for (const { name } of Deno.readDirSync(this.#folder)) {
        if (!hashes.has(name)) Deno.removeSync(`${this.#folder}/${name}`);
      }
    } catch {
      // There is no such folder yet; or what is left takes room, and goes the next time.
    }
  }
}
