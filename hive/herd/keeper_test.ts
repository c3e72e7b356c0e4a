import { assertEquals } from "@std/assert";
import { FakeClock } from "../../common/config/mod.ts";
import { NO_OWN_THINGS } from "../../common/herd/protected.ts";
import { TestHerd } from "./_herd_test_support.ts";
import { HERD_TICK_MS, HerdKeeper } from "./keeper.ts";
import { HERD_LIMITS } from "./limits.ts";

const PATH = "/var/tmp/x";

Deno.test("HerdKeeper lets time do its work each minute, and says what changed", async () => {
  const herd = new TestHerd();
  const clock = new FakeClock(herd.nowMs);
  const [a = ""] = herd.elders(1);
  const id = herd.propose(a, PATH);
  herd.run("approve", id);
  const lines: string[] = [];
  let ticks = 0;
  const woken: PromiseWithResolvers<void>[] = [];
  const nextTick = (): Promise<void> => {
    const waiting = Promise.withResolvers<void>();
    woken.push(waiting);
    return waiting.promise;
  };
  const keeper = await HerdKeeper.start({
    store: {
      herd: (call, given) => {
        if (call === "tick") {
          ticks++;
          woken.shift()?.resolve();
          if (ticks === 1) return Promise.reject(new Error("The store is busy"));
        }
        return Promise.resolve(herd.run(call, given));
      },
    },
    own: { ...NO_OWN_THINGS, ports: [8443] },
    clock,
    log: (line) => lines.push(line),
  });
  assertEquals(herd.herd.antibodies.own.ports, [8443]);
  let ticked = nextTick();
  clock.advance(HERD_TICK_MS);
  await ticked;
  await keeper.tick();
  assertEquals(lines, ["The store is busy"]);
  herd.nowMs += HERD_LIMITS.canaryMs;
  ticked = nextTick();
  clock.advance(HERD_TICK_MS);
  await ticked;
  await keeper[Symbol.asyncDispose]();
  assertEquals(lines.slice(1), [`Antibody "${id}" (path) is now "all"`]);
  const before = ticks;
  clock.advance(10 * HERD_TICK_MS);
  assertEquals(ticks, before);
});
