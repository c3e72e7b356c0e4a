import type { RootEntry } from "./root.ts";

/** What the tests start, by name or path. */
const PROGRAMS =
  "bash bpftool cat chmod cp cut dash dd dirname echo false head id kill ln ls mkdir mkfifo mknod " +
  "mount mv nsenter perl printf readlink rm sed setarch setpriv sh sleep stat tail tee touch true " +
  "umount uname unshare wc";

/** Where they lie; what several folders have is taken from the first. */
const FOLDERS = ["/usr/bin", "/usr/sbin"];

/** Where the dynamic linker's files and commands lie, as `ldd` prints them. */
const LIBRARY = /(?:=> |^\t)(\/\S+) \(0x/;

/**
 * This host's programs with the libraries that they need, for a root of its own.
 *
 * @param more Paths of other programs and libraries: only what they need is added.
 * @returns Entries by path; a program that this host lacks is left out.
 */
export async function hostPrograms(
  more: readonly string[],
): Promise<ReadonlyMap<string, RootEntry>> {
  const entries = new Map<string, RootEntry>();
  const needed = new Set<string>();
  for (const name of PROGRAMS.split(" ")) {
    const found = await find(name);
    if (found === undefined) continue;
    const { path, real } = found;
    await addFile(entries, real);
    if (real !== path) entries.set(path.slice(1), { type: "link", target: real });
    for (const library of await librariesOf(real)) needed.add(library);
  }
  for (const path of more) {
    for (const library of await librariesOf(path)) needed.add(library);
  }
  for (const library of needed) await addFile(entries, library);
  return entries;
}

/** Where a program lies, and what file that is once links are followed. */
async function find(name: string): Promise<{ path: string; real: string } | undefined> {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`;
    const real = await Deno.realPath(path).catch(() => undefined);
    if (real !== undefined) return { path, real };
  }
  return undefined;
}

/** Puts a file where it really is, once links of folders (/lib, /bin) are followed. */
async function addFile(entries: Map<string, RootEntry>, path: string): Promise<void> {
  const at = path.lastIndexOf("/");
  const place = `${await Deno.realPath(path.slice(0, at))}${path.slice(at)}`.slice(1);
  if (entries.has(place)) return;
  entries.set(place, { type: "file", data: await Deno.readFile(path), mode: 0o755 });
}

async function librariesOf(path: string): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("ldd", { args: [path], stderr: "null" }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.flatMap((line) => LIBRARY.exec(line)?.[1] ?? []);
}
