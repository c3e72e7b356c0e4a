import { assert } from "@std/assert";
import { moduleAddress, PROGRAM_ROOT } from "./program.ts";

Deno.test("PROGRAM_ROOT is the folder that holds the entry file and the rules", async () => {
  assert((await Deno.stat(new URL("mod.ts", PROGRAM_ROOT))).isFile);
  assert((await Deno.stat(new URL("rules", PROGRAM_ROOT))).isDirectory);
});

Deno.test("moduleAddress() is the source where the program runs from its sources", async () => {
  const part: typeof import("./program.ts") = await import(
    moduleAddress({ name: "nowhere", source: "common/config/program.ts" })
  );
  assert(part.PROGRAM_ROOT.href === PROGRAM_ROOT.href);
});
