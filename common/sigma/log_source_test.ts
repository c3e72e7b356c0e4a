import { assertEquals, assertNotEquals } from "@std/assert";
import { CLASSES } from "./image_layout.ts";
import type { Expression } from "./expression.ts";
import { applies, classMaskOf, type LogSource, logSourceKey } from "./log_source.ts";

const ANYTHING: Expression = {
  kind: "test",
  field: "Image",
  criterion: { type: "pattern", pattern: ["x"], cased: false },
};

function maskOf(logSource: LogSource): number {
  return classMaskOf({ logSource, expression: ANYTHING });
}

Deno.test("classMaskOf() gives the class of a category, of Linux or of no product", () => {
  for (const [category, bit] of Object.entries(CLASSES)) {
    if (["flat", "role", "program_hash", "file_hash"].includes(category)) continue;
    const wanted = (bit | CLASSES.flat) >>> 0;
    assertEquals(maskOf({ category, product: "linux" }), wanted, category);
    assertEquals(maskOf({ category }), wanted, category);
    assertEquals(maskOf({ category, product: "windows" }), CLASSES.flat, category);
    assertEquals(maskOf({ category, product: "linux", service: "auditd" }), CLASSES.flat);
  }
  assertEquals(maskOf({ product: "linux", service: "sshd" }), CLASSES.flat);
  assertEquals(maskOf({ category: "registry_event" }), CLASSES.flat);
});

Deno.test("applies() tests what the event says and nothing else", () => {
  const rule = { category: "process_creation", product: "linux" };
  assertEquals(applies(rule, {}), true);
  assertEquals(applies(rule, rule), true);
  assertEquals(applies(rule, { category: "process_creation" }), true);
  assertEquals(applies(rule, { product: "linux" }), true);
  assertEquals(applies(rule, { product: "windows" }), false);
  assertEquals(applies(rule, { category: "file_event", product: "linux" }), false);
  const auditd = { product: "linux", service: "auditd" };
  assertEquals(applies(auditd, rule), false);
  assertEquals(applies(auditd, { product: "linux", service: "auditd" }), true);
  assertEquals(applies({ category: "process_creation" }, rule), true);
  assertEquals(applies(rule, { ...rule, service: "auditd" }), true);
});

Deno.test("logSourceKey() tells log sources apart, the same name in another place", () => {
  assertNotEquals(logSourceKey({ category: "a" }), logSourceKey({ product: "a" }));
  assertEquals(
    logSourceKey({ product: "b", category: "a" }),
    logSourceKey({ category: "a", product: "b" }),
  );
});
