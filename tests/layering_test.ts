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
