import { assertEquals, assertRejects } from "@std/assert";
import { withCrew } from "./crew.ts";

Deno.test("a crew does all there is to do, in order, no more at once than there are cores", async () => {
  let atWork = 0;
  let most = 0;
  const things = Array.from({ length: 100 }, (_, i) => i);
  const made = await withCrew(things, async (thing) => {
    most = Math.max(most, ++atWork);
    await Promise.resolve();
    atWork--;
    return 2 * thing;
  });
  assertEquals(made, things.map((thing) => 2 * thing));
  assertEquals(most, navigator.hardwareConcurrency);
});

Deno.test("a crew of which one fails ends with his error; the others end what they are at", async () => {
  const done: number[] = [];
  await assertRejects(
    () =>
      withCrew([1, 2, 3], async (thing) => {
        await Promise.resolve();
        if (thing === 1) throw new Error("first");
        done.push(thing);
      }),
    Error,
    "first",
  );
  assertEquals(done.includes(2), navigator.hardwareConcurrency > 1);
});
