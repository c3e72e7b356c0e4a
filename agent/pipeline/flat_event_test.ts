import { assertEquals } from "@std/assert";
import { eventTimeMs, logSourceOf } from "./flat_event.ts";

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
