import { assertEquals } from "@std/assert";
import { painter, visible } from "./terminal.ts";

Deno.test("painter() colours a terminal only, and not with NO_COLOR", () => {
  assertEquals(painter({ terminal: true })("red", "x"), "\x1b[31mx\x1b[0m");
  assertEquals(painter({ terminal: false })("red", "x"), "x");
  assertEquals(painter({ terminal: true, noColor: "1" })("red", "x"), "x");
  assertEquals(painter({ terminal: true, noColor: "" })("red", "x"), "\x1b[31mx\x1b[0m");
});

Deno.test("visible() shows what a terminal would obey", () => {
  assertEquals(visible("a\x1b[2Jb\nc\x9b"), "a\\x1b[2Jb\\x0ac\\x9b");
  assertEquals(visible("x\u202etxt.exe"), "x\\u202etxt.exe");
  assertEquals(visible("grüß 漢字"), "grüß 漢字");
});
