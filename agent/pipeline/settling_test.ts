import { assert, assertEquals } from "@std/assert";
import { loadLibrary } from "../sensors/library.ts";
import { SETTLE_FIRST_MS, SETTLE_INTERVAL_MS, Settling } from "./settling.ts";

Deno.test("Settling gives back soon after the start, then at its interval", () => {
  let [now, times] = [1000, 0];
  const firsts: boolean[] = [];
  const settling = new Settling((isFirst) => {
    times++;
    firsts.push(isFirst);
  }, () => now);
  const at = (ms: number): number => {
    now = ms;
    settling.step();
    return times;
  };
  const first = 1000 + SETTLE_FIRST_MS;
  assertEquals([at(first - 1), at(first), at(first + 1)], [0, 1, 1]);
  assertEquals(at(first + SETTLE_INTERVAL_MS - 1), 1);
  assertEquals([at(first + SETTLE_INTERVAL_MS), at(first + SETTLE_INTERVAL_MS + 1)], [2, 2]);
  assertEquals(firsts, [true, false]);
});

Deno.test("immune_forget_start() lets code go, and what is run again comes back", () => {
  const code = (): number => {
    const text = Deno.readTextFileSync("/proc/self/smaps");
    const parts = text.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      .filter((part) => / r-xp .*\/deno\n/.test(part.split("Size:", 1)[0] ?? ""));
    return parts.reduce((sum, part) => sum + Number(/^Rss:\s+(\d+) kB/m.exec(part)?.[1] ?? 0), 0);
  };
  const before = code();
  const { symbols } = loadLibrary();
  assert(symbols.immune_forget_start() > 0n);
  assert(code() < before, `${code()} of ${before} KiB`);
});

Deno.test("immune_settle() gives back what is free in the middle of the C heap", () => {
  const libc = Deno.dlopen("libc.so.6", {
    malloc: { parameters: ["usize"], result: "pointer" },
    memset: { parameters: ["pointer", "i32", "usize"], result: "pointer" },
    free: { parameters: ["pointer"], result: "void" },
  });
  const { malloc, memset, free } = libc.symbols;
  const bytes = 16_384;
  const blocks = Array.from(
    { length: 4096 },
    () => memset(malloc(BigInt(bytes)), 1, BigInt(bytes)),
  );
  // What lies behind the others stays: the heap does not end before it.
  const last = blocks.pop() ?? null;
  blocks.forEach(free);
  const before = Deno.memoryUsage().rss;
  const { symbols } = loadLibrary();
  assertEquals(symbols.immune_settle(), 1n);
  const given = before - Deno.memoryUsage().rss;
  free(last);
  libc.close();
  assert(given > blocks.length * bytes / 2, `${given} bytes`);
});
