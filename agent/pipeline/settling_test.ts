import { assert, assertEquals } from "@std/assert";
import { loadLibrary } from "../sensors/library.ts";
import { SETTLE_FIRST_MS, SETTLE_INTERVAL_MS, Settling } from "./settling.ts";

Deno.test("Settling gives back soon after the start, then at its interval", () => {
  let [now, times] = [1000, 0];
  const settling = new Settling(() => times++, () => now);
  const at = (ms: number): number => {
    now = ms;
    settling.step();
    return times;
  };
  const first = 1000 + SETTLE_FIRST_MS;
  assertEquals([at(first - 1), at(first), at(first + 1)], [0, 1, 1]);
  assertEquals(at(first + SETTLE_INTERVAL_MS - 1), 1);
  assertEquals([at(first + SETTLE_INTERVAL_MS), at(first + SETTLE_INTERVAL_MS + 1)], [2, 2]);
});

Deno.test("immune_settle() gives back what is free in the middle of the C heap", () => {
  const { symbols } = loadLibrary();
  assert([0n, 1n].includes(symbols.immune_settle()));
});
