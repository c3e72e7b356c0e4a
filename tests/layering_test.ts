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
const SLOW_MODULES = ["node:crypto", "node:fs", "node:path", "node:url", "node:zlib"];
/** Libraries that a thread which runs for months, or that somebody waits for, must not load. */
const LEAN: Readonly<Record<string, readonly string[]>> = {
  // Each of these takes Deno 10 to 40 ms.
  "cli/permissions_program.ts": [WHOLE_ZOD, "commander", "yaml", ...SLOW_MODULES],
  "cli/verbs/status.ts": [WHOLE_ZOD, "yaml", "@peculiar/x509", ...SLOW_MODULES],
  "cli/operator_program.ts": ["zod", "yaml", ...SLOW_MODULES],
  "agent/pipeline/program.ts": ["zod", "yaml", "smol-toml", "@peculiar/x509", "commander"],
  "cli/agent_program.ts": [WHOLE_ZOD, "yaml", "@peculiar/x509", "reflect-metadata", "hono"],
  "hive/store/program.ts": [WHOLE_ZOD, "commander", "@peculiar/x509", "hono"],
  "hive/command/program.ts": [WHOLE_ZOD, "yaml", "commander", "@peculiar/x509", "hono"],
  "hive/intake/program.ts": [WHOLE_ZOD, "yaml", "commander"],
  "hive/detect/program.ts": [WHOLE_ZOD, "yaml", "commander", "@peculiar/x509", "hono"],
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

/** From where a source takes values, each with what is taken whole. */
function takenBy(source: string): string[] {
  const found: string[] = [];
  for (const [, taken = "", from = ""] of source.matchAll(VALUE_IMPORT)) {
    const names = /^\{([^}]*)\}$/.exec(taken.trim())?.[1]?.split(",").filter((name) => name.trim());
    // Types alone are gone when it runs.
    if (names?.every((name) => name.trim().startsWith("type "))) continue;
    found.push(from);
    if (from === "zod" && names !== undefined) found.push(WHOLE_ZOD);
  }
  return found;
}

/** Libraries that a module brings with it, each with the file that asks for it. */
function librariesOf(path: string, seen: Map<string, string> = new Map()): Map<string, string> {
  for (const from of takenBy(Deno.readTextFileSync(ROOT + path))) {
    if (!from.startsWith(".")) seen.set(from, path);
    const target = relative(ROOT, resolve(ROOT, path, "..", from));
    if (!target.endsWith(".ts") || target.startsWith("..") || seen.has(target)) continue;
    seen.set(target, path);
    librariesOf(target, seen);
  }
  return seen;
}

Deno.test("what runs for months or is waited for loads no library that they can do without", () => {
  for (const [path, unwanted] of Object.entries(LEAN)) {
    const libraries = librariesOf(path);
    const found = unwanted.filter((name) => libraries.has(name));
    assertEquals(found.map((name) => `${name} by ${libraries.get(name)}`), []);
  }
});

Deno.test("the check of libraries follows imports and leaves out types", () => {
  const libraries = librariesOf("agent/rules/program.ts");
  assertEquals(["zod", "yaml"].map((name) => libraries.has(name)), [true, true]);
  assertEquals(librariesOf("common/sigma/log_source.ts").has("zod"), false);
  assertEquals(takenBy('import { z } from "zod";\n'), ["zod", WHOLE_ZOD]);
  assertEquals(takenBy('import * as z from "zod";\nimport { type ZodType } from "zod";\n'), [
    "zod",
  ]);
});
