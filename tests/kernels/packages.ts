import type { ArchiveEntry } from "./archive.ts";
import { addTree } from "./tree.ts";

interface Graph {
  readonly modules: readonly { readonly specifier: string }[];
}

/**
 * The npm packages that files import, as Deno's cache has them.
 *
 * @param files Modules of the project.
 * @param cache Where the guest has its cache, without a slash before it.
 * @returns Entries by path.
 */
export async function cachedPackages(
  files: readonly string[],
  cache: string,
): Promise<ReadonlyMap<string, ArchiveEntry>> {
  const names = new Set<string>();
  for (const file of files) {
    const graph = await denoInfo<Graph>([file]);
    for (const { specifier } of graph.modules) {
      const name = /^npm:\/((?:@[^/]+\/)?[^@/]+)@/.exec(specifier)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  const { npmCache } = await denoInfo<{ readonly npmCache: string }>([]);
  const entries = new Map<string, ArchiveEntry>();
  for (const registry of Deno.readDirSync(npmCache)) {
    for (const name of names) {
      const from = `${npmCache}/${registry.name}/${name}`;
      await addTree(entries, { from, to: `${cache}/npm/${registry.name}/${name}` });
    }
  }
  return entries;
}

async function denoInfo<T>(args: readonly string[]): Promise<T> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...args],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot list the modules of ${args.join(" ")}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
