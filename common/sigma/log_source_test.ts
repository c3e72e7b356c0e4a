import { assertEquals, assertNotEquals } from "@std/assert";
import { CLASSES } from "./image_layout.ts";
import { applies, classMaskOf, logSourceKey } from "./log_source.ts";

Deno.test("classMaskOf() gives the class of a category, of Linux or of no product", () => {
  for (const [category, bit] of Object.entries(CLASSES)) {
    if (category === "flat" || category === "role") continue;
    const wanted = (bit | CLASSES.flat) >>> 0;
    assertEquals(classMaskOf({ category, product: "linux" }), wanted, category);
    assertEquals(classMaskOf({ category }), wanted, category);
    assertEquals(classMaskOf({ category, product: "windows" }), CLASSES.flat, category);
    assertEquals(classMaskOf({ category, product: "linux", service: "auditd" }), CLASSES.flat);
  }
  assertEquals(classMaskOf({ product: "linux", service: "sshd" }), CLASSES.flat);
  assertEquals(classMaskOf({ category: "registry_event" }), CLASSES.flat);
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
