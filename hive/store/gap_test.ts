import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LOSS_CAUSES } from "../../common/wire/mod.ts";
import { loss } from "./_batches_test_support.ts";
import { accountForGap } from "./gap.ts";

const CAUSES = ["journal_evicted", "journal_unwritable", "journal_corrupt"] as const;
const entry = fc.record({
  cause: fc.constantFrom(...CAUSES, "ring_full" as const),
  first: fc.integer({ min: 0, max: 20 }),
  count: fc.integer({ min: 0, max: 12 }),
}, { noNullPrototype: true });

Deno.test("accountForGap() agrees with counting position by position", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 15 }),
      fc.array(entry, { maxLength: 6 }),
      (first, length, entries) => {
        const losses = entries.map(({ cause, ...place }) => loss(cause, place));
        const expected = new Map<number, number>();
        let left = 0;
        for (let at = first; at < first + length; at++) {
          const name = CAUSES.find((cause) =>
            entries.some((each) =>
              each.cause === cause && each.first > 0 && each.first <= at &&
              at < each.first + each.count
            )
          );
          if (name === undefined) left++;
          else expected.set(LOSS_CAUSES[name], (expected.get(LOSS_CAUSES[name]) ?? 0) + 1);
        }
        const unplaced = entries.filter((each) => each.first === 0 && each.cause !== "ring_full")
          .reduce((sum, each) => sum + each.count, 0);
        const passed = accountForGap({ first, last: first + length - 1 }, losses);
        assertEquals(passed !== undefined, left <= unplaced);
        if (passed === undefined) return;
        assertEquals(passed.reduce((sum, { count }) => sum + count, 0), length);
        for (const [cause, count] of expected) {
          const found = passed.filter((each) => each.cause === cause);
          const total = found.reduce((sum, each) => sum + each.count, 0);
          assertEquals(left > 0 ? total >= count : total === count, true);
        }
      },
    ),
    { seed: 5, numRuns: 500 },
  );
});

Deno.test("accountForGap() takes a gap of any length at once", () => {
  const last = Number.MAX_SAFE_INTEGER - 1;
  const losses = [loss("journal_evicted", { first: 1, count: last })];
  assertEquals(accountForGap({ first: 1, last }, losses), [
    { cause: LOSS_CAUSES.journal_evicted, count: last },
  ]);
});
