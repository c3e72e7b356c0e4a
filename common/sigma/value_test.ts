import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ANY, foldCase, formatValue, ONE, parseValue, pattern, type PatternPart } from "./value.ts";

Deno.test("parseValue() reads wildcards and escapes, the cases of Sigma's specification", () => {
  const cases: readonly (readonly [string, readonly PatternPart[]])[] = [
    ["", []],
    ["plain", ["plain"]],
    ["*", [ANY]],
    ["a*b?c", ["a", ANY, "b", ONE, "c"]],
    ["\\*", ["*"]],
    ["\\?", ["?"]],
    ["\\\\*", ["\\", ANY]],
    ["\\\\\\*", ["\\*"]],
    ["C:\\Windows\\x", ["C:\\Windows\\x"]],
    ["\\\\\\\\server", ["\\\\server"]],
    ["end\\", ["end\\"]],
    ["**", [ANY]],
    ["??", [ONE, ONE]],
    ["\\a*", ["\\a", ANY]],
  ];
  for (const [text, parts] of cases) assertEquals(parseValue(text), parts, text);
});

const PARTS: fc.Arbitrary<PatternPart> = fc.oneof(
  fc.constant(ANY),
  fc.constant(ONE),
  fc.string({ unit: fc.constantFrom("a", "B", "*", "?", "\\", "é", " "), maxLength: 4 }),
);

Deno.test("parseValue() reads back what formatValue() writes, any pattern", () => {
  fc.assert(fc.property(fc.array(PARTS, { maxLength: 8 }), (parts) => {
    const normal = pattern(parts);
    assertEquals(parseValue(formatValue(normal)), normal);
  }));
});

Deno.test("pattern() leaves no empty or doubled parts, any input", () => {
  fc.assert(fc.property(fc.array(PARTS, { maxLength: 8 }), (parts) => {
    const normal = pattern(parts);
    assertEquals(pattern(normal), normal);
    normal.forEach((part, i) => {
      const next = normal[i + 1];
      assertEquals(part === "", false);
      assertEquals(part === ANY && next === ANY, false);
      assertEquals(typeof part === "string" && typeof next === "string", false);
    });
    const letters = (list: readonly PatternPart[]) =>
      list.filter((part) => typeof part === "string").join("");
    assertEquals(letters(normal), letters(parts));
  }));
});

Deno.test("foldCase() folds ASCII and nothing else, the Kelvin sign and dotted I", () => {
  assertEquals(foldCase("AZaz@[\u212A\u0130É"), "azaz@[\u212A\u0130É");
});
