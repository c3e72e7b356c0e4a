import type { RootEntry } from "./root.ts";
import { addFile, addTree } from "./tree.ts";

/** What `deno info --json` says of a file. */
interface Graph {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, Package>>;
}

interface Package {
  readonly name: string;
  readonly dependencies: readonly string[];
  /** Its folder in Deno's cache: registry, name, version. */
  readonly localPath: string;
}

/** npm packages for a root. */
export interface CachedPackages {
  /** Names, those too that only other packages import. */
  readonly names: ReadonlySet<string>;
  readonly entries: ReadonlyMap<string, RootEntry>;
}

/**
 * The npm packages that files import, as Deno's cache has them. A guest has no lock file, as it has
 * not every package of it, so Deno there asks what versions there are: the cache gets that too.
 *
 * @param files Modules of the project.
 * @param cache Where the guest has its cache, without a slash before it.
 */
export async function cachedPackages(
  files: readonly string[],
  cache: string,
): Promise<CachedPackages> {
  const packages = new Map<string, Package>();
  await deno(["cache", "--quiet", "--no-check", ...files]);
  for (const file of files) {
    const graph = await denoInfo<Graph>([file]);
    const wanted = graph.modules.flatMap(({ npmPackage }) => npmPackage ?? []);
    for (let id = wanted.pop(); id !== undefined; id = wanted.pop()) {
      const found = graph.npmPackages[id];
      if (found === undefined || packages.has(id)) continue;
      packages.set(id, found);
      wanted.push(...found.dependencies);
    }
  }
  const { npmCache } = await denoInfo<{ readonly npmCache: string }>([]);
  const entries = new Map<string, RootEntry>();
  for (const { localPath } of packages.values()) {
    const place = (path: string): string => `${cache}/npm${path.slice(npmCache.length)}`;
    const index = `${localPath.slice(0, localPath.lastIndexOf("/"))}/registry.json`;
    await addTree(entries, { from: localPath, to: place(localPath) });
    await addFile(entries, { from: index, to: place(index) });
  }
  return { names: new Set([...packages.values()].map(({ name }) => name)), entries };
}

async function denoInfo<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await deno(["info", "--json", ...args])));
}

async function deno([verb = "", ...args]: readonly string[]): Promise<Uint8Array> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [verb, "--no-lock", ...args],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`deno ${verb} failed for ${args.join(" ")}`);
  return stdout;
}
