import { assertEquals } from "@std/assert";
import { addTiers } from "./tier_counts.ts";

const NONE = { judged: 0, refused: 0, monitored: 0, capped: 0, failed: 0 };

Deno.test("addTiers() keeps what earlier programs counted, of tiers that are gone too", () => {
  const [lsm, signal] = [
    { tier: "lsm", ...NONE, judged: 5, refused: 2 },
    { tier: "signal", ...NONE, failed: 1 },
  ] as const;
  assertEquals(addTiers([lsm], [signal, { ...lsm, capped: 7 }]), [
    signal,
    { tier: "lsm", ...NONE, judged: 10, refused: 4, capped: 7 },
  ]);
  assertEquals(addTiers([], [lsm]), [lsm]);
});
