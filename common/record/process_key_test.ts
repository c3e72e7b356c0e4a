import { assertEquals, assertNotEquals } from "@std/assert";
import { alertId, processEntityId } from "./process_key.ts";

const BOOT = { hostId: "00".repeat(32), bootId: "11".repeat(16) };

Deno.test("processEntityId() keeps the value that stored documents have", () => {
  assertEquals(
    processEntityId(BOOT, { pid: 1, startTimeNs: 2n }),
    "1f86fc0db37e7650e2b12fa05d6ebafb",
  );
});

Deno.test("processEntityId() differs by host, boot, pid and start", () => {
  const ids = [
    processEntityId(BOOT, { pid: 1, startTimeNs: 2n }),
    processEntityId({ ...BOOT, hostId: "22".repeat(32) }, { pid: 1, startTimeNs: 2n }),
    processEntityId({ ...BOOT, bootId: "22".repeat(16) }, { pid: 1, startTimeNs: 2n }),
    processEntityId(BOOT, { pid: 2, startTimeNs: 2n }),
    processEntityId(BOOT, { pid: 1, startTimeNs: 3n }),
  ];
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("alertId() is the same for the same rule and record, and for no other", () => {
  const key = { ...BOOT, epoch: 1, source: 0, sequence: 9 };
  assertEquals(alertId("a", key), alertId("a", { ...key }));
  assertNotEquals(alertId("a", key), alertId("b", key));
  assertNotEquals(alertId("a", key), alertId("a", { ...key, epoch: 2 }));
});
