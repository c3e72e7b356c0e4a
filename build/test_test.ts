import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { entriesOf, partsOf } from "./test.ts";

Deno.test("partsOf() has every entry with tests in one half", () => {
  const entries = entriesOf(fileURLToPath(new URL("../", import.meta.url)));
  const parts = partsOf([...entries, "a_new_room"]);
  const found = parts.flatMap(({ args }) => args);
  assertEquals(new Set(found).size, found.length);
  const tests = ["tests/e2e", "tests/attacks", "tests/layering_test.ts"];
  for (const name of ["agent", "common", "hive", "README.md", "a_new_room", ...tests]) {
    assertEquals(found.includes(name), true, name);
  }
  assertEquals(
    found.filter((name) => ["out", "dist", "mod.ts", ".git", "tests"].includes(name)),
    [],
  );
});
