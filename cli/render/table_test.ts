import { assertEquals } from "@std/assert";
import { table } from "./table.ts";

const COLUMNS = [
  { title: "NAME", value: (row: readonly [string, string]): string => row[0] },
  { title: "WHAT", value: (row: readonly [string, string]): string => row[1] },
];

Deno.test("table() aligns columns and leaves no blanks at line ends", () => {
  assertEquals(table([["a", "x"], ["longer", ""]], COLUMNS), "NAME    WHAT\na       x\nlonger\n");
});

Deno.test("table() shows titles alone without rows", () => {
  assertEquals(table([], COLUMNS), "NAME  WHAT\n");
});
