import { assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../common/config/errors.ts";
import { startLines } from "./start_lines.ts";

Deno.test("startLines() refuses a path that would make a line of its own, each kind of line", () => {
  for (const forged of ["@LD_PRELOAD=/tmp/x.so", "-A", "=/tmp/x.js", ""]) {
    for (const end of ["\n", "\r"]) {
      for (
        const args of [
          ["indicators", "import", `/srv/feeds/a${end}${forged}`],
          ["indicators", "import", `a${end}${forged}`],
          ["rules", "check", `/srv/rules/a${end}${forged}`],
        ]
      ) {
        const error = assertThrows(() => startLines(args), ImmuneError, "line break");
        assertEquals([error.code, error.message.split("\n").length], ["CONFIG_INVALID", 1]);
      }
    }
  }
});

Deno.test("startLines() has one program, first", () => {
  const lines = startLines(["indicators", "import", "/srv/feeds/a b"]);
  assertEquals(lines.filter((line) => line.startsWith("=")), ["=immune.js"]);
  assertEquals(lines[0], "=immune.js");
});
