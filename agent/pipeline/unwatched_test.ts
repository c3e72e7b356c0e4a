import { assertEquals } from "@std/assert";
import { Unwatched, UNWATCHED_INTERVAL_MS } from "./unwatched.ts";

Deno.test("Unwatched warns when watches are more than it told of, and again after another policy", () => {
  const warnings: string[] = [];
  let [now, count, asked] = [0, 0, 0];
  const unwatched = new Unwatched({
    sensor: {
      unwatched: () => {
        asked++;
        return count;
      },
      problem: () => "no room",
    },
    onWarning: (message) => warnings.push(message),
    nowMs: () => now,
  });
  const after = (watches: number): number => {
    [now, count] = [now + UNWATCHED_INTERVAL_MS, watches];
    unwatched.step();
    return warnings.length;
  };
  assertEquals([after(0), after(1), after(1), after(3), after(3)], [0, 1, 1, 2, 2]);
  assertEquals([after(0), after(1)], [2, 3]);
  assertEquals(warnings[1], "3 watches could not be kept, the last: no room");
  unwatched.step();
  assertEquals(asked, 7);
});
