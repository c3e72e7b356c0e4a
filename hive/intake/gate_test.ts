import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Gate, type Place } from "./gate.ts";

const SEED = 9;

Deno.test("Gate.enter() is bounded by batches, bytes and agent; a place is left once", () => {
  const gate = new Gate({ batchesMax: 3, bytesMax: 100, perAgentMax: 2 });
  const first = gate.enter("a", 10);
  assert(first !== undefined && gate.enter("a", 10) !== undefined);
  assertEquals(gate.enter("a", 1), undefined);
  assertEquals(gate.enter("b", 81), undefined);
  assert(gate.enter("b", 80) !== undefined);
  assertEquals(gate.enter("c", 0), undefined);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals([gate.batches, gate.bytes], [2, 90]);
  assert(gate.enter("c", 10) !== undefined);
  assertEquals(gate.enter("d", 0), undefined);
});

Deno.test("Gate never holds more than its bounds, and nothing when all have left", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.constantFrom("a", "b", "c"), fc.nat(60)));
  fc.assert(
    fc.property(steps, (all) => {
      const gate = new Gate({ batchesMax: 4, bytesMax: 100, perAgentMax: 2 });
      const inside: Place[] = [];
      for (const [enters, agent, bytes] of all) {
        const place = enters ? gate.enter(agent, bytes) : undefined;
        if (place !== undefined) inside.push(place);
        else inside.shift()?.[Symbol.dispose]();
        assert(gate.batches <= 4 && gate.bytes <= 100 && gate.batches === inside.length);
      }
      for (const place of inside) place[Symbol.dispose]();
      assertEquals([gate.batches, gate.bytes], [0, 0]);
    }),
    { seed: SEED },
  );
});
