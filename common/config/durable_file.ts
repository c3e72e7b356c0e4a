/**
 * Makes names in a folder survive a power loss: files created, renamed or removed in it.
 *
 * @param folder Path of the folder.
 */
export function syncFolder(folder: string): void {
  using file = Deno.openSync(folder, { read: true });
  file.syncSync();
}

/**
 * Replaces a small file as a whole: whatever happens, a reader finds the old text or the new one.
 * Mode 0600.
 *
 * @param path Path of the file; `path + ".new"` is used on the way.
 * @param content What it holds afterwards.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const fresh = `${path}.new`;
  const options = { write: true, create: true, truncate: true, mode: 0o600 };
  using file = Deno.openSync(fresh, options);
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.syncDataSync();
  Deno.renameSync(fresh, path);
  syncFolder(path.slice(0, path.lastIndexOf("/") + 1) || ".");
}

/**
 * Reads a small file.
 *
 * @param path Path of the file.
 * @returns Its text, or `undefined` when there is none.
 */
export function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Removes a file, or a folder with what is in it.
 *
 * @param path Path; it need not be there.
 */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
