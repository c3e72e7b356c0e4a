import { assertEquals } from "@std/assert";
import { isCount, jsonOf } from "./json.ts";

Deno.test("jsonOf() gives the value of JSON, and nothing for what is none", () => {
  assertEquals(jsonOf('{"a":[1]}'), { a: [1] });
  assertEquals(["", "{", "nul", undefined].map(jsonOf), Array(4).fill(undefined));
});

Deno.test("isCount() takes whole numbers from 0 that are exact", () => {
  assertEquals([0, 1, Number.MAX_SAFE_INTEGER].map(isCount), [true, true, true]);
  const others = [-1, 0.5, 2 ** 53, NaN, Infinity, "1", null, undefined, 1n];
  assertEquals(others.filter(isCount), []);
});
