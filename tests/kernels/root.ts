import { dirname } from "node:path";

/** One entry of a root: a file, a folder or a symbolic link. */
export type RootEntry =
  | { readonly type: "file"; readonly data: Uint8Array; readonly mode: number }
  | { readonly type: "folder"; readonly mode: number }
  | { readonly type: "link"; readonly target: string };

/** Room that a root has beside what is in it, in MiB: what tests write. */
const FREE_MIB = 192;
const MIB = 1 << 20;

/**
 * Writes a root as the image of a file system (ext4), by `mkfs.ext4`.
 *
 * @param path Where to.
 * @param entries By path, without a slash before it; the folders above each are added.
 */
export async function writeRoot(
  path: string,
  entries: ReadonlyMap<string, RootEntry>,
): Promise<void> {
  const folder = `${path}.root`;
  await Deno.remove(folder, { recursive: true }).catch(() => undefined);
  try {
    let bytes = 0;
    // A folder comes before what is in it: its path is shorter and sorts first.
    for (const [place, entry] of [...entries].sort(([a], [b]) => a < b ? -1 : 1)) {
      await put(`${folder}/${place}`, entry);
      if (entry.type === "file") bytes += entry.data.length;
    }
    await Deno.remove(path).catch(() => undefined);
    const size = `${Math.ceil(bytes * 1.1 / MIB) + FREE_MIB}M`;
    const { success, stderr } = await new Deno.Command("/sbin/mkfs.ext4", {
      args: ["-q", "-F", "-d", folder, path, size],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function put(path: string, entry: RootEntry): Promise<void> {
  if (entry.type === "folder") {
    await Deno.mkdir(path, { recursive: true, mode: entry.mode });
    return;
  }
  await Deno.mkdir(dirname(path), { recursive: true });
  if (entry.type === "link") await Deno.symlink(entry.target, path);
  else await Deno.writeFile(path, entry.data, { mode: entry.mode });
}
