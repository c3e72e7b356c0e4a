import { sequenceHash } from "../labels/hash.ts";

/** Bytes of a key: u64. */
export const LISTED_KEY_BYTES = 8;
/** Most keys of a policy (IMMUNE_LISTED_FILES_MAX). */
export const LISTED_FILES_MAX = 262_144;
/** Numbers of `enum immune_listed_key`. */
export const LISTED_KEYS = { last: 16, name: 17, path: 18 } as const;

/** Files that indicators list. */
export interface ListedFiles {
  /** Keys of {@linkcode LISTED_KEY_BYTES}; none where no file is listed. */
  readonly keys: Uint8Array<ArrayBuffer>;
  /** There are more than a policy takes: any file may be listed. */
  readonly any: boolean;
}

/**
 * Keys by which the kernel tells files that may be listed from all others: of a path its last name's
 * and its own, of a name both that it has.
 *
 * @param listed Absolute `paths`, and `names` of files in any directory.
 * @param max Most keys. Default {@linkcode LISTED_FILES_MAX}.
 */
export function listedFiles(
  { paths, names }: { readonly paths: readonly string[]; readonly names: readonly string[] },
  max = LISTED_FILES_MAX,
): ListedFiles {
  const last = new Set([...names, ...paths.map(lastOf)]);
  const count = last.size + names.length + paths.length;
  if (count > max) return { keys: new Uint8Array(), any: true };
  const keys = new Uint8Array(count * LISTED_KEY_BYTES);
  const view = new DataView(keys.buffer);
  let at = 0;
  const put = (seed: number, components: readonly string[]): void => {
    const { high, low } = sequenceHash(seed, components);
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
    at += LISTED_KEY_BYTES;
  };
  for (const name of last) put(LISTED_KEYS.last, [name]);
  for (const name of names) put(LISTED_KEYS.name, [name]);
  for (const path of paths) put(LISTED_KEYS.path, path.slice(1).split("/"));
  return { keys, any: false };
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
