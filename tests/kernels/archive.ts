/** One entry of a root: a file, a folder or a symbolic link. */
export type ArchiveEntry =
  | { readonly type: "file"; readonly data: Uint8Array; readonly mode: number }
  | { readonly type: "folder"; readonly mode: number }
  | { readonly type: "link"; readonly target: string };

const TYPE_BITS = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;
const ALIGNMENT = 4;
const UTF8 = new TextEncoder();

/**
 * Writes a root as the kernel takes it at boot: cpio in its "newc" form, uncompressed
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * @param entries By path, without a slash before it; the folders above each are added.
 * @returns The archive, in pieces.
 */
export function* archive(entries: ReadonlyMap<string, ArchiveEntry>): Generator<Uint8Array> {
  const all = new Map(entries);
  for (const path of entries.keys()) {
    for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
      const folder = path.slice(0, at);
      if (!all.has(folder)) all.set(folder, { type: "folder", mode: 0o755 });
    }
  }
  let inode = 1;
  // A folder comes before what is in it: its path is shorter and sorts first.
  for (const path of [...all.keys()].sort()) {
    const entry = all.get(path);
    if (entry !== undefined) yield* member(path, { entry, inode: inode++ });
  }
  yield* member("TRAILER!!!", { entry: { type: "folder", mode: 0 }, inode: 0 });
}

function* member(
  path: string,
  { entry, inode }: { readonly entry: ArchiveEntry; readonly inode: number },
): Generator<Uint8Array> {
  const name = UTF8.encode(`${path}\0`);
  const data = entry.type === "file"
    ? entry.data
    : entry.type === "link"
    ? UTF8.encode(entry.target)
    : new Uint8Array();
  const mode = TYPE_BITS[entry.type] | (entry.type === "link" ? 0o777 : entry.mode);
  // inode, mode, uid, gid, links, time, size, device twice, special device twice, name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = UTF8.encode(
    `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`,
  );
  yield header;
  yield name;
  yield padding(header.length + name.length);
  yield data;
  yield padding(data.length);
}

function padding(length: number): Uint8Array {
  return new Uint8Array((ALIGNMENT - length % ALIGNMENT) % ALIGNMENT);
}
