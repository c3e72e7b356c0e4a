import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { Window } from "./window.ts";

/** Lets everything run that waits for nothing else. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

Deno.test("Window.enter() waits over the bound of requests, in order, and goes on", async () => {
  const window = new Window({ requestsMax: 2, bytesMax: 1000, waitingMax: 9 });
  const entered: number[] = [];
  for (const number of [1, 2, 3, 4]) void window.enter(0).then(() => entered.push(number));
  await settle();
  assertEquals(entered, [1, 2]);
  window.leave(0);
  await settle();
  assertEquals(entered, [1, 2, 3]);
  window.leave(0);
  window.leave(0);
  await settle();
  assertEquals([entered, window.requests], [[1, 2, 3, 4], 1]);
});

Deno.test("Window.enter() lets one that is over the bound of bytes in alone", async () => {
  const window = new Window({ requestsMax: 9, bytesMax: 10, waitingMax: 9 });
  const entered: string[] = [];
  await window.enter(4);
  void window.enter(50).then(() => entered.push("long"));
  void window.enter(1).then(() => entered.push("short"));
  await settle();
  assertEquals(entered, [], "the short one does not pass the long one");
  window.leave(4);
  await settle();
  assertEquals(entered, ["long"]);
  window.leave(50);
  await settle();
  assertEquals(entered, ["long", "short"]);
});

Deno.test("Window.enter() refuses and counts what is over the bound on waiting", async () => {
  const window = new Window({ requestsMax: 1, bytesMax: 10, waitingMax: 1 });
  await window.enter(1);
  const waiting = window.enter(1);
  const error = await assertRejects(() => window.enter(1), ImmuneError);
  assertEquals([error.code, window.turnedAway], ["RATE_LIMITED", 1]);
  window.leave(1);
  await waiting;
});

Deno.test("Window never lets more in than its bounds, and in the end everything", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 60 }),
      async (sizes) => {
        const window = new Window({ requestsMax: 4, bytesMax: 10, waitingMax: 100 });
        const inside: number[] = [];
        let entered = 0;
        const all = Promise.all(sizes.map((size) =>
          window.enter(size).then(() => {
            inside.push(size);
            entered++;
          })
        ));
        for (;;) {
          await settle();
          const bytes = inside.reduce((sum, size) => sum + size, 0);
          assertEquals(inside.length <= 4 && (bytes <= 10 || inside.length === 1), true);
          const size = inside.shift();
          if (size === undefined) break;
          window.leave(size);
        }
        await all;
        assertEquals([entered, window.requests], [sizes.length, 0]);
      },
    ),
    { seed: 12 },
  ));
