import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/mod.ts";
import { type CompiledRules, RULES_WORKER } from "../rules/messages.ts";
import { askApart } from "./ask.ts";

Deno.test("askApart() ends a Worker that takes too long, and says which", async () => {
  const asked = askApart<CompiledRules>(RULES_WORKER, [], { limitMs: 1 });
  await assertRejects(() => asked, ImmuneError, `Worker "${RULES_WORKER.name}" took over 1 ms`);
  const { rules } = await askApart<CompiledRules>(RULES_WORKER, []);
  assertEquals(rules, []);
});
