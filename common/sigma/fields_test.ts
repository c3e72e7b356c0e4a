import { assertEquals } from "@std/assert";
import { STANDARD_FIELDS, standardField } from "./fields.ts";
import { generateAssemblyScript } from "./generate.ts";
import { CLASSES, PROGRAM_OPS } from "./image_layout.ts";

Deno.test("standard fields are numbered from 1 without a hole, each with its own ECS path", () => {
  const fields = Object.values(STANDARD_FIELDS);
  assertEquals(fields.map(({ id }) => id), fields.map((_, i) => i + 1));
  assertEquals(new Set(fields.map(({ ecs }) => ecs)).size, fields.length);
});

Deno.test("standardField() knows Sigma's names exactly, and nothing of Object", () => {
  assertEquals(standardField("Image")?.id, 1);
  assertEquals(standardField("image"), undefined);
  assertEquals(standardField("constructor"), undefined);
  assertEquals(standardField("__proto__"), undefined);
});

Deno.test("generateAssemblyScript() writes each number once, as 32 bits without a sign", () => {
  const lines = generateAssemblyScript().split("\n").filter((line) => line.startsWith("@inline"));
  const numbers = new Map(lines.map((line) => {
    const [, name = "", value = ""] = /const (\w+): u32 = (\d+);/.exec(line) ?? [];
    return [name, Number(value)];
  }));
  assertEquals(numbers.size, lines.length);
  assertEquals(numbers.get("CLASSES_FLAT"), CLASSES.flat);
  assertEquals(numbers.get("PROGRAM_OPS_AT_LEAST"), PROGRAM_OPS.at_least);
  assertEquals(numbers.get("STANDARD_FIELDS_DESTINATION_IS_IPV6"), 17);
  assertEquals(numbers.get("IMAGE_HEADER_ALWAYS"), 92);
});

Deno.test("classes are single bits, no two the same", () => {
  const bits = Object.values(CLASSES);
  for (const bit of bits) assertEquals(Math.log2(bit) % 1, 0);
  assertEquals(new Set(bits).size, bits.length);
});
