import denoConfig from "../deno.json" with { type: "json" };

/** Packages whose code is in `out/engine.wasm`, which names no sources. */
const COMPILED = ["assemblyscript"] as const;
/** What `deno bundle` writes before each source: a registry's cache, then package and version. */
const SOURCE = /^\/\/ (\S*\/npm\/[^/\s]+)\/((?:@[^/\s]+\/)?[^/\s]+\/[^/\s]+)\//gm;
const LICENCE_FILE = /^(licen[cs]e|notice|copying|copyrightnotice)/i;

/** A package as its `package.json` tells. */
interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  readonly repository?: string | { readonly url?: string };
}

/**
 * The licences of all packages that are in bundles, as their licences ask it.
 *
 * @param bundles What `deno bundle` wrote, each with the paths of its sources.
 * @returns A text: each package with what its own files say.
 * @throws {Error} when a package says nothing of a licence.
 */
export async function notices(bundles: readonly string[]): Promise<string> {
  const folders = new Map<string, string>();
  for (const bundle of bundles) {
    for (const [, cache = "", id = ""] of bundle.matchAll(SOURCE)) folders.set(id, cache);
  }
  const [cache] = folders.values();
  if (cache === undefined) throw new Error("Cannot tell which packages are in the bundles");
  for (const name of COMPILED) {
    folders.set(denoConfig.imports[name].replace("npm:", "").replace(/@(?=[^@]+$)/, "/"), cache);
  }
  const parts: string[] = [];
  for (const [id, cache] of [...folders].sort(([a], [b]) => a < b ? -1 : 1)) {
    parts.push(await noticeOf(`${cache}/${id}`));
  }
  return ["These packages are part of Sentinel Immune, each under its own licence.", ...parts]
    .join(`\n\n${"=".repeat(80)}\n`);
}

async function noticeOf(folder: string): Promise<string> {
  const about: Package = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => LICENCE_FILE.test(name)).sort();
  if (names.length === 0 && about.license === undefined) {
    throw new Error(`Cannot tell under which licence "${about.name}" is: it says nothing of one`);
  }
  const { author, repository } = about;
  const by = typeof author === "string" ? author : author?.name;
  const at = typeof repository === "string" ? repository : repository?.url;
  const head = [
    `${about.name} ${about.version}`,
    `Licence: ${about.license ?? "below"}`,
    ...(by === undefined ? [] : [`By: ${by}`]),
    ...(at === undefined ? [] : [`From: ${at}`]),
    ...(names.length === 0 ? ["The package comes without the licence's text."] : []),
  ];
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${folder}/${name}`)));
  return [head.join("\n"), ...texts.map((text) => text.trim())].join("\n\n");
}
