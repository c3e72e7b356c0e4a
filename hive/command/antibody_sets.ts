import { ANTIBODY_SET_BYTES_MAX } from "../../common/herd/set.ts";
import { HashedFiles } from "./hashed_files.ts";

/** Name of the folder in the hive's folder. */
export const ANTIBODIES_FOLDER = "antibodies";

/** Sets of antibodies that hosts are to have, by their hash, a file each. */
export class AntibodySetFiles extends HashedFiles {
  /** @param folder The hive's folder. */
  constructor(folder: string) {
    super({
      folder: `${folder}/${ANTIBODIES_FOLDER}`,
      sort: "set",
      bytesMax: ANTIBODY_SET_BYTES_MAX,
    });
  }

  /**
   * Removes all but some.
   *
   * @param hashes Those that stay.
   */
  keepOnly(hashes: ReadonlySet<string>): void {
    try {
      for (const { hash } of this.list()) if (!hashes.has(hash)) this.remove(hash);
    } catch {
      // What is left takes room, and goes the next time.
    }
  }
}
