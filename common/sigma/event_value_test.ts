import { assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../config/errors.ts";
import { KEYWORDS_FIELD } from "./criterion.ts";
import { fieldValue } from "./event_value.ts";

Deno.test("fieldValue() prefers the field's own name, then its ECS path", () => {
  assertEquals(fieldValue({ Image: "/a", process: { executable: "/b" } }, "Image"), "/a");
  assertEquals(fieldValue({ process: { executable: "/b" } }, "Image"), "/b");
  assertEquals(fieldValue({ "process.executable": "/c" }, "Image"), "/c");
  assertEquals(fieldValue({ process: { parent: { pid: 7 } } }, "ParentProcessId"), "7");
});

Deno.test("fieldValue() gives absent for null, a path that ends early, and inherited names", () => {
  assertEquals(fieldValue({ Image: null }, "Image"), undefined);
  assertEquals(fieldValue({ process: "x" }, "Image"), undefined);
  assertEquals(fieldValue({}, "constructor"), undefined);
  assertEquals(fieldValue({ a: {} }, "toString"), undefined);
});

Deno.test("fieldValue() writes numbers and truth values as rules have them", () => {
  assertEquals(fieldValue({ DestinationPort: 4444 }, "DestinationPort"), "4444");
  assertEquals(fieldValue({ Initiated: true }, "Initiated"), "true");
});

Deno.test("fieldValue() refuses a value that is nested too deep to be text", () => {
  const depth = 100_000;
  const event = JSON.parse(`{"Image":${'{"1":'.repeat(depth)}0${"}".repeat(depth)}}`);
  const error = assertThrows(() => fieldValue(event, "Image"), ImmuneError);
  assertEquals(error.code, "INPUT_MALFORMED");
});

Deno.test("fieldValue() of keywords is every value at any depth, a line each, in order", () => {
  const event = { a: "one", b: { c: [2, null, { d: true }] }, logsource: { product: "linux" } };
  assertEquals(fieldValue(event, KEYWORDS_FIELD), "one\n2\ntrue");
  const depth = 100_000;
  const deep = JSON.parse(`{"a":${'{"1":'.repeat(depth)}"end"${"}".repeat(depth)}}`);
  assertEquals(fieldValue(deep, KEYWORDS_FIELD), "end");
});
