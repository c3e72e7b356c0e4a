import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Window } from "./window.ts";

Deno.test("Window sends in order and makes room as the reader takes", () => {
  const sent: number[][] = [];
  const window = new Window<number>(3, (things) => sent.push([...things]));
  window.flush();
  for (const thing of [1, 2]) window.add(thing);
  window.flush();
  for (const thing of [3, 4, 5]) window.add(thing);
  window.flush();
  assertEquals([sent, window.dropped], [[[1, 2], [3]], 2]);
  window.taken(2);
  for (const thing of [6, 7, 8]) window.add(thing);
  window.flush();
  assertEquals([sent.at(-1), window.dropped], [[6, 7], 3]);
});

Deno.test("Window holds its bound and loses count of nothing, any reader", () => {
  const step = fc.constantFrom("add", "flush", "take");
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step), (size, steps) => {
    let [added, sent, unread] = [0, 0, 0];
    const window = new Window<number>(size, (things) => {
      sent += things.length;
      unread += things.length;
    });
    for (const each of steps) {
      if (each === "add") window.add(++added);
      else if (each === "flush") window.flush();
      else if (unread > 0) {
        window.taken(1);
        unread--;
      }
      assert(unread <= size);
    }
    window.flush();
    assertEquals(sent + window.dropped, added);
  }));
});
