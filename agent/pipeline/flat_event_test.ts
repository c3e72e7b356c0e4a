import { assertEquals, assertThrows } from "@std/assert";
import { KEYWORDS_FIELD } from "../../common/sigma/criterion.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { eventTimeMs, fieldValue, logSourceOf } from "./flat_event.ts";

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

Deno.test("logSourceOf() takes what is text and nothing else", () => {
  assertEquals(logSourceOf({ logsource: { category: "process_creation", product: 1 } }), {
    category: "process_creation",
  });
  assertEquals(logSourceOf({}), undefined);
});

Deno.test("eventTimeMs() reads @timestamp, then UtcTime as UTC, then the line", () => {
  const both = { "@timestamp": "2026-01-01T00:00:00+01:00", "UtcTime": "2020-01-01 00:00:00" };
  assertEquals(eventTimeMs(both, 1), Date.UTC(2025, 11, 31, 23));
  assertEquals(
    eventTimeMs({ UtcTime: "2026-04-20 10:00:35.640" }, 1),
    Date.UTC(2026, 3, 20, 10, 0, 35, 640),
  );
  assertEquals(eventTimeMs({ "@timestamp": "yesterday" }, 5), 5000);
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
