import { assert, assertEquals } from "@std/assert";
import { alertSchema } from "./alert.ts";

const ALERT = {
  id: "0123456789abcdef0123456789abcdef",
  time: "2026-01-02T03:04:05.678Z",
  host: { id: "h", name: "gpu-1" },
  rule: { id: "r", title: "A rule" },
  severity: "high",
  event: { kind: "alert", action: "exec" },
  process: { pid: 1, executable: "/bin/sh", parent: { pid: 0 } },
};

Deno.test("alertSchema keeps members that it does not know", () => {
  const parsed = alertSchema.parse({ ...ALERT, newer: { thing: 1 } });
  assertEquals(parsed["newer"], { thing: 1 });
});

for (
  const [name, change] of Object.entries({
    "an id of another form": { id: "x" },
    "a time without a zone": { time: "2026-01-02T03:04:05" },
    "a severity that Sigma lacks": { severity: "urgent" },
    "a negative pid": { process: { pid: -1 } },
  })
) {
  Deno.test(`alertSchema refuses ${name}`, () => {
    assert(!alertSchema.safeParse({ ...ALERT, ...change }).success);
  });
}
