import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { PACK_BYTES_MAX, readPack } from "../../common/wire/pack.ts";
import { HashedFiles, hashOf } from "./hashed_files.ts";

/** Name of the folder in the hive's folder. */
export const PACKS_FOLDER = "packs";
/** Packs that are kept; the oldest go that nobody has ordered. */
export const PACKS_KEPT = 32;

/** Packs of rules by their hash, a file each. */
export class PackFiles {
  readonly #files: HashedFiles;

  /** @param folder The hive's folder. */
  constructor(folder: string) {
    this.#files = new HashedFiles({
      folder: `${folder}/${PACKS_FOLDER}`,
      sort: "pack",
      bytesMax: PACK_BYTES_MAX,
    });
  }

  /**
   * Keeps a pack; over the bound the oldest goes that is not held.
   *
   * @param bytes The pack.
   * @param clock Tells which are held.
   * @returns Its SHA-256.
   * @throws {ImmuneError} `INPUT_MALFORMED` when it is none, `RATE_LIMITED` when all that there is
   * room for are held, `STATE_UNUSABLE`.
   */
  add(bytes: Uint8Array, clock: Clock): string {
    readPack(bytes);
    const [hash, nowMs] = [hashOf(bytes), clock.nowMs()];
    const held = this.#files.list().filter(({ atMs }) => atMs > nowMs);
    const until = held.find((each) => each.hash === hash)?.atMs;
    if (until === undefined && held.length >= PACKS_KEPT) {
      throw new ImmuneError(
        "RATE_LIMITED",
        `Cannot keep another pack: ${PACKS_KEPT} are ordered and on their way to hosts, the first ` +
          `until ${new Date(held.at(-1)?.atMs ?? 0).toISOString()}`,
      );
    }
    this.#files.add(bytes);
    // It was written anew.
    this.#files.mark(hash, until ?? nowMs);
    const more = this.#files.list().filter((each) => each.hash !== hash && each.atMs <= nowMs);
    const room = PACKS_KEPT - held.length - (until === undefined ? 1 : 0);
    for (const each of more.slice(Math.max(0, room))) this.#files.remove(each.hash);
    return hash;
  }

  /**
   * Keeps a pack as long as hosts may come for it.
   *
   * @param hash Its hash.
   * @param untilMs Unix time in milliseconds.
   */
  hold(hash: string, untilMs: number): void {
    const held = this.#files.list().find((each) => each.hash === hash);
    if (held !== undefined && held.atMs < untilMs) this.#files.mark(hash, untilMs);
  }

  /**
   * A pack.
   *
   * @param hash Its hash; anything else is no name of a file.
   */
  get(hash: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#files.get(hash);
  }
}
