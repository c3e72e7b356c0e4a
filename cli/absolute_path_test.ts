import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { resolve } from "node:path";
import { absolutePath } from "./absolute_path.ts";

Deno.test("absolutePath() gives what resolve() of node:path gives", () => {
  const part = fc.constantFrom("", ".", "..", "a", "b.c", "...", " ", "ä,=");
  const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/"));
  fc.assert(fc.property(path, path, (typed, folder) => {
    assertEquals(absolutePath(typed), resolve(typed));
    assertEquals(absolutePath(typed, `/${folder}`), resolve(`/${folder}`, typed));
  }));
});
