import { assert } from "@std/assert";
import { PROGRAM_ROOT } from "./program.ts";

Deno.test("PROGRAM_ROOT is the folder that holds the entry file and the rules", async () => {
  assert((await Deno.stat(new URL("mod.ts", PROGRAM_ROOT))).isFile);
  assert((await Deno.stat(new URL("rules", PROGRAM_ROOT))).isDirectory);
});
