import { assertEquals } from "@std/assert";
import { SCAN_CLASSES } from "../../common/wire/health.ts";
import { ScanClock } from "./health.ts";

Deno.test("ScanClock puts a scan into the first class that holds it, and starts again", () => {
  const clock = new ScanClock();
  for (const durationMs of [0, 0.05, 0.06, 100, 101]) clock.add(durationMs);
  const { scans, scanTimeNs } = clock.take();
  assertEquals(scans.length, SCAN_CLASSES);
  assertEquals([scans[0], scans[1], scans.at(-2), scans.at(-1)], [2, 1, 1, 1]);
  assertEquals(scanTimeNs, 201_110_000);
  assertEquals(clock.take(), { scans: scans.map(() => 0), scanTimeNs: 0 });
});
