import { assertEquals } from "@std/assert";
import { bootTimeNs, FakeClock, SYSTEM_CLOCK, wallOffsetNs } from "./clock.ts";

Deno.test("FakeClock.advance() runs timers in the order of time, each at its own time", () => {
  const clock = new FakeClock(1000);
  const seen: string[] = [];
  const note = (name: string) => (): void => {
    seen.push(`${name} ${clock.nowMs()} ${clock.monotonicMs()}`);
  };
  clock.setTimer(note("late"), 30);
  clock.setTimer(() => {
    note("early")();
    clock.setTimer(note("nested"), 5);
  }, 10);
  clock.setTimer(note("cancelled"), 20).cancel();
  clock.advance(29);
  assertEquals(seen, ["early 1010 10", "nested 1015 15"]);
  assertEquals(clock.pendingTimers, 1);
  clock.advance(1);
  assertEquals(seen.at(-1), "late 1030 30");
});

Deno.test("SYSTEM_CLOCK.setTimer() calls back once, and not after cancel", async () => {
  const cancelled = SYSTEM_CLOCK.setTimer(() => {
    throw new Error("was cancelled");
  }, 0);
  cancelled.cancel();
  const keepAlive = setTimeout(() => {}, 10_000);
  await new Promise<void>((resolve) => SYSTEM_CLOCK.setTimer(resolve, 1));
  clearTimeout(keepAlive);
});

Deno.test("wallOffsetNs() added to a boot time gives Unix time", () => {
  const bootNs = 1_234_567_890_123n;
  const offset = wallOffsetNs({ unixMs: 1_700_000_000_000.5, bootNs });
  assertEquals(bootNs + offset, 1_700_000_000_000_500_000n);
});

Deno.test("bootTimeNs() reads the text of /proc/uptime, and nothing else", () => {
  assertEquals(bootTimeNs("350735.47 234388.90\n"), 350_735_470_000_000n);
  assertEquals(bootTimeNs("0.01 0.00\n"), 10_000_000n);
  for (const text of ["", "12", "12.3 4.5", "x.00 1", "-1.00 1.00"]) {
    assertEquals(bootTimeNs(text), undefined);
  }
});
