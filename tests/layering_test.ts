import { assertEquals } from "@std/assert";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** For each room the rooms that it may import from; tests, build and mod.ts may import all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  common: ["common"],
  wasm: ["common", "wasm", "out"],
  agent: ["common", "wasm", "agent", "out"],
  hive: ["common", "wasm", "hive"],
  cli: ["common", "wasm", "agent", "hive", "cli", "rules", "deno.json"],
};
/** By `{ z }` a bundle gets its texts in all languages too: 570 KB that `* as z` leaves out. */
const WHOLE_ZOD = "{ z } of zod";
/** Libraries that a thread which runs for months must not load: what it holds counts on every host. */
const LEAN: Readonly<Record<string, readonly string[]>> = {
  "agent/pipeline/program.ts": ["zod", "yaml", "smol-toml", "@peculiar/x509", "commander"],
  "cli/agent_program.ts": [WHOLE_ZOD, "yaml", "@peculiar/x509", "reflect-metadata", "hono"],
};
/** Imports and re-exports that are there when it runs: what is taken, and from where. */
const VALUE_IMPORT = /^(?:import|export)\s+(?!type\s)(?:([^;"]*?)\s+from\s+)?"([^"]+)"/gm;
const IMPORT = /(?:from|import|new URL)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;

/** Imports of a source that lead where its room may not reach. */
function violations(path: string, source: string): string[] {
  const room = path.split("/")[0] ?? "";
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return [];
  const isTest = /_(test|bench|test_support)\.ts$/.test(path);
  const found: string[] = [];
  for (const [, target = ""] of source.matchAll(IMPORT)) {
    const reached = relative(ROOT, resolve(ROOT, path, "..", target)).split("/")[0] ?? "";
    // A test may compare its room with what it was made from, but not join the two sides.
    if (allowed.includes(reached) || (isTest && !(reached in MAY_IMPORT))) continue;
    found.push(`${path} imports ${target}`);
  }
  return found;
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(`${ROOT}${folder}`)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory && path !== "wasm/assembly") yield* sources(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}

Deno.test("no room reaches where it may not", async () => {
  const found: string[] = [];
  for (const room of Object.keys(MAY_IMPORT)) {
    for await (const path of sources(room)) {
      found.push(...violations(path, await Deno.readTextFile(`${ROOT}${path}`)));
    }
  }
  assertEquals(found, []);
});

Deno.test("layering check finds a room that reaches too far", () => {
  assertEquals(violations("common/x.ts", 'import { a } from "../agent/y.ts";').length, 1);
  assertEquals(violations("agent/x/y.ts", 'await import("../../hive/z.ts");').length, 1);
  assertEquals(violations("agent/x/y.ts", 'import { b } from "../../common/z.ts";'), []);
});

/** Libraries that a module brings with it, each with the file that asks for it. */
function librariesOf(path: string, seen: Map<string, string> = new Map()): Map<string, string> {
  for (
    const [, taken = "", from = ""] of Deno.readTextFileSync(ROOT + path).matchAll(VALUE_IMPORT)
  ) {
    const names = /^\{([^}]*)\}$/.exec(taken.trim())?.[1]?.split(",").filter((name) => name.trim());
    // Types alone are gone when it runs.
    if (names?.every((name) => name.trim().startsWith("type "))) continue;
    if (!from.startsWith(".")) seen.set(from, path);
    if (from === "zod" && names !== undefined) seen.set(WHOLE_ZOD, path);
    const target = relative(ROOT, resolve(ROOT, path, "..", from));
    if (!target.endsWith(".ts") || target.startsWith("..") || seen.has(target)) continue;
    seen.set(target, path);
    librariesOf(target, seen);
  }
  return seen;
}

Deno.test("threads that run for months load no library that they can do without", () => {
  for (const [path, unwanted] of Object.entries(LEAN)) {
    const libraries = librariesOf(path);
    const found = unwanted.filter((name) => libraries.has(name));
    assertEquals(found.map((name) => `${name} by ${libraries.get(name)}`), []);
  }
});

Deno.test("the check of libraries follows imports and leaves out types", () => {
  const libraries = librariesOf("agent/rules/program.ts");
  assertEquals(["zod", WHOLE_ZOD, "yaml"].map((name) => libraries.has(name)), [true, true, true]);
  assertEquals(librariesOf("common/sigma/log_source.ts").has("zod"), false);
});
