import { assertEquals } from "@std/assert";
import { memoryFlags, memoryVariables } from "./memory.ts";

Deno.test("memoryVariables() and memoryFlags() are for what runs for months alone", () => {
  assertEquals(memoryVariables(["agent", "--json"])["MALLOC_ARENA_MAX"], "1");
  assertEquals(memoryFlags(["agent"]).length, 1);
  assertEquals(memoryFlags(["--json", "watch"]).length, 1);
  for (const args of [[], ["hive"], ["replay", "agent"], ["rules", "check", "watch"]]) {
    assertEquals([memoryFlags(args), memoryVariables(args)], [[], {}]);
  }
});
