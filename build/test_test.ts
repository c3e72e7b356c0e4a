import { assertEquals } from "@std/assert";
import { partsOf } from "./test.ts";

Deno.test("partsOf() has every entry with tests in one half", () => {
  const entries = [...Deno.readDirSync(new URL("../", import.meta.url))].map(({ name }) => name);
  const parts = partsOf([...entries, "a_new_room"]);
  const found = parts.flatMap(({ args }) => args);
  assertEquals(new Set(found).size, found.length);
  for (const name of ["agent", "common", "hive", "tests", "README.md", "a_new_room"]) {
    assertEquals(found.includes(name), true, name);
  }
  assertEquals(found.filter((name) => ["out", "dist", "mod.ts", ".git"].includes(name)), []);
});
