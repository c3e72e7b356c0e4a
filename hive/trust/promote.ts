import { removeIfThere, syncFolder } from "../../common/config/durable_file.ts";

/**
 * Moves pairs of certificate and key one place up: what the last name holds becomes that of the
 * name before it, and so on, and what the first name held is gone, its key too. Whoever prepares it
 * writes the last name's key and then its certificate; that certificate is the sign for it. A stop
 * on the way is made up for by the next call.
 *
 * @param folder Where they lie.
 * @param names Names without ending, the one in use first.
 * @returns False when there was nothing to move.
 */
export function promoteKeyFiles(folder: string, names: readonly string[]): boolean {
  const last = names.at(-1) ?? "";
  if (!isThere(`${folder}/${last}.pem`)) {
    // Its certificate never came to be.
    removeIfThere(`${folder}/${last}.key`);
    return false;
  }
  // Without its key the last pair is on its way already, and all before it are in their places.
  const first = isThere(`${folder}/${last}.key`) ? 1 : names.length - 1;
  for (let i = first; i < names.length; i++) {
    for (const ending of ["key", "pem"]) {
      const from = `${folder}/${names[i]}.${ending}`;
      if (isThere(from)) Deno.renameSync(from, `${folder}/${names[i - 1]}.${ending}`);
    }
    syncFolder(folder);
  }
  return true;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
