// Compiles wasm/assembly to out/engine.wasm, after the record's and the rule image's layouts were
// written down for it. The same sources give the same bytes.

import asc from "assemblyscript/asc";
import { generateAssemblyScript as generateRecord } from "../common/record/generate.ts";
import { generateAssemblyScript as generateImage } from "../common/sigma/generate.ts";

const ROOT = new URL("../", import.meta.url);
const ENTRY = "wasm/assembly/index.ts";
const ENGINE = new URL("out/engine.wasm", ROOT);
/** Digest of the sources and options that the engine was compiled from. */
const STAMP = new URL("out/engine.stamp", ROOT);
/** Static data ends below this address, in bytes; the first region starts there. */
const STATIC_BYTES_MAX = 64 * 1024;

const FLAGS: readonly string[] = [
  "-O3",
  "--converge",
  "--noAssert",
  "--runtime",
  "stub",
  "--enable",
  "simd",
  "--lowMemoryLimit",
  String(STATIC_BYTES_MAX),
];

/** Sources by path from the root of the tree. */
type Sources = ReadonlyMap<string, string>;

/**
 * Writes `out/gen/record.ts` and `out/gen/image.ts`, then `out/engine.wasm`, each only when it
 * would change.
 *
 * @throws {Error} when a source does not compile; the compiler's text is in its message.
 */
export async function buildWasm(): Promise<void> {
  await Deno.mkdir(new URL("out/gen/", ROOT), { recursive: true });
  const generated = new Map([
    ["out/gen/record.ts", generateRecord()],
    ["out/gen/image.ts", generateImage()],
  ]);
  for (const [path, text] of generated) await writeIfDifferent(path, text);
  const sources = await readSources(generated);
  const flags = [...FLAGS, ...memoryFlags(sources)];
  const stamp = await digest(sources, flags);
  if (await isFile(ENGINE) && await readText(STAMP) === stamp) return;
  await writeWhole(ENGINE, await compile(sources, flags));
  await writeWhole(STAMP, new TextEncoder().encode(stamp));
}

async function readSources(generated: Sources): Promise<Sources> {
  const sources = new Map(generated);
  const folder = new URL("wasm/assembly/", ROOT);
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  for (const name of names.filter((each) => each.endsWith(".ts"))) {
    sources.set(`wasm/assembly/${name}`, await Deno.readTextFile(new URL(name, folder)));
  }
  return sources;
}

/** The memory is as large as the map says. */
function memoryFlags(sources: Sources): readonly string[] {
  const map = sources.get("wasm/assembly/memory.ts") ?? "";
  const pages = (name: string): string => {
    const found = new RegExp(`\\b${name}: u32 = (\\d+);`).exec(map)?.[1];
    if (found !== undefined) return found;
    throw new Error(`Cannot build the engine: no ${name} in wasm/assembly/memory.ts`);
  };
  return ["--initialMemory", pages("MEMORY_PAGES"), "--maximumMemory", pages("MEMORY_PAGES_MAX")];
}

async function compile(sources: Sources, flags: readonly string[]): Promise<Uint8Array> {
  const outputs = new Map<string, Uint8Array>();
  const result = await asc.main([ENTRY, "--outFile", "engine.wasm", ...flags], {
    readFile: (name) => sources.get(name) ?? null,
    writeFile: (name, contents) => {
      if (contents instanceof Uint8Array) outputs.set(name, contents);
    },
    listFiles: () => [],
  });
  const bytes = outputs.get("engine.wasm");
  if (result.error !== null || bytes === undefined) {
    throw new Error(`Cannot build the engine: ${result.stderr}`, { cause: result.error });
  }
  return bytes;
}

async function digest(sources: Sources, flags: readonly string[]): Promise<string> {
  const text = JSON.stringify([flags, [...sources]]);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex();
}

async function writeIfDifferent(path: string, text: string): Promise<void> {
  const url = new URL(path, ROOT);
  if (await readText(url) !== text) await writeWhole(url, new TextEncoder().encode(text));
}

/** Through a temporary file, so that a build beside this one never reads half of it. */
async function writeWhole(url: URL, bytes: Uint8Array): Promise<void> {
  const temporary = new URL(`${url.href}.${Deno.pid}`);
  await Deno.writeFile(temporary, bytes);
  await Deno.rename(temporary, url);
}

async function readText(url: URL): Promise<string | undefined> {
  return await isFile(url) ? await Deno.readTextFile(url) : undefined;
}

async function isFile(url: URL): Promise<boolean> {
  try {
    return (await Deno.stat(url)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) await buildWasm();
