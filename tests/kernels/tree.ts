import type { RootEntry } from "./root.ts";

/**
 * Adds a folder and all below it.
 *
 * @param entries Where to.
 * @param options `from`: folder of this host, `to`: its place in the root, `skip`: names to leave.
 */
export async function addTree(
  entries: Map<string, RootEntry>,
  options: { readonly from: string; readonly to: string; readonly skip?: RegExp },
): Promise<void> {
  const { from, to, skip } = options;
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(from)) {
    const [path, place] = [`${from}/${name}`, `${to}/${name}`];
    if (skip?.test(name)) continue;
    if (isDirectory) await addTree(entries, { ...options, from: path, to: place });
    else if (isSymlink) entries.set(place, { type: "link", target: await Deno.readLink(path) });
    else await addFile(entries, { from: path, to: place });
  }
}

/**
 * Adds one file, with its mode.
 *
 * @param entries Where to.
 * @param options `from`: path on this host, `to`: its place in the root.
 */
export async function addFile(
  entries: Map<string, RootEntry>,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const { mode } = await Deno.stat(from);
  entries.set(to, {
    type: "file",
    data: await Deno.readFile(from),
    mode: (mode ?? 0o644) & 0o777,
  });
}
