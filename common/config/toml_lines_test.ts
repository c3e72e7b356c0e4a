import { assertEquals } from "@std/assert";
import { tomlLines } from "./toml_lines.ts";

Deno.test("tomlLines() finds tables, keys and dotted keys, not what is in long strings", () => {
  const text = [
    "top = 1",
    "[ a ] # note",
    "b = 2",
    "  c . d = 3",
    'e = """',
    "f = 4",
    '"""',
    '"g" = 5',
    "[a.h]",
    "i = 6",
  ].join("\n");
  assertEquals(Object.fromEntries(tomlLines(text)), {
    top: 1,
    a: 2,
    "a.b": 3,
    "a.c.d": 4,
    "a.e": 5,
    "a.g": 8,
    "a.h": 9,
    "a.h.i": 10,
  });
});
