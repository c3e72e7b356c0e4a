import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeBatch, decodeBatchHead } from "../../common/wire/mod.ts";
import { enrolled, loss, sampleBatch } from "./_batches_test_support.ts";
import type { Store } from "./store.ts";

const SEED = 31;
const RUNS = 25;
const JOURNALS = ["a".repeat(32), "b".repeat(32)];

/** A batch relative to what is stored: how far its first record lies from the next position. */
const step = fc.record({
  journal: fc.integer({ min: 0, max: JOURNALS.length - 1 }),
  offset: fc.integer({ min: -12, max: 6 }),
  records: fc.integer({ min: 1, max: 15 }),
  named: fc.boolean(),
  ringLoss: fc.integer({ min: 0, max: 3 }),
}, { noNullPrototype: true });

/** What should be: of each journal its last position and how many were stored and passed over. */
interface Expected {
  position: number;
  stored: number;
  passed: number;
}

/**
 * Appends random batches (repeated, overlapping, behind gaps) and holds the store against a model:
 * every position up to the last is in one block or passed over, never both.
 */
export async function checkPositions(store: Store): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const { id, hostId } = await enrolled(store);
      const expected: Expected[] = JOURNALS.map(() => ({ position: 0, stored: 0, passed: 0 }));
      let ringLosses = 0;
      for (const { journal, offset, records, named, ringLoss } of steps) {
        const at = expected[journal];
        assert(at !== undefined);
        const first = Math.max(1, at.position + 1 + offset);
        const gap = Math.max(0, first - 1 - at.position);
        const losses = ringLoss > 0 ? [loss("ring_full", { count: ringLoss })] : [];
        if (named && first > 1) {
          losses.push(loss("journal_evicted", { count: first - 1, first: 1 }));
        }
        const journalId = JOURNALS[journal] ?? "";
        const bytes = sampleBatch({ first, records, losses, hostId, journalId });
        const outcome = await store.append({ agentId: id, bytes });
        if (gap > 0 && !named) {
          assertEquals(outcome, { outcome: "gap", expected: at.position + 1 });
          continue;
        }
        const last = first + records - 1;
        const fresh = Math.max(0, last - Math.max(at.position, first - 1));
        if (fresh > 0 && first > at.position) ringLosses += ringLoss;
        at.passed += gap;
        at.stored += fresh;
        at.position = Math.max(at.position, last);
        assertEquals(outcome, { outcome: "stored", position: at.position, stored: fresh });
      }
      await compare(store, { id, expected, ringLosses });
    }),
    { seed: SEED, numRuns: RUNS },
  );
}

async function compare(store: Store, { id, expected, ringLosses }: {
  readonly id: string;
  readonly expected: readonly Expected[];
  readonly ringLosses: number;
}): Promise<void> {
  const ledger = (await store.ledgers()).find(({ agentId }) => agentId === id);
  const stored = expected.reduce((sum, each) => sum + each.stored, 0);
  const passed = expected.reduce((sum, each) => sum + each.passed, 0);
  const made = expected.reduce((sum, each) => sum + each.position, 0) + ringLosses;
  const lost = ledger?.losses.reduce((sum, { count }) => sum + count, 0) ?? 0;
  assertEquals([ledger?.stored, lost], [stored, passed + ringLosses]);
  assertEquals(made, stored + lost);
  for (const [journal, { stored: count }] of expected.entries()) {
    const seen = await positionsInBlocks(store, { id, journalId: JOURNALS[journal] ?? "" });
    assertEquals([seen.length, new Set(seen).size], [count, count]);
  }
}

/** Positions of a journal that blocks hold, as a reader counts them. */
async function positionsInBlocks(
  store: Store,
  { id, journalId }: { readonly id: string; readonly journalId: string },
): Promise<number[]> {
  const blocks = await store.blocks({ agentId: id, limit: 1000 });
  return blocks.flatMap(({ bytes, from }) => {
    const { info } = decodeBatch(bytes);
    if (info.journalId !== journalId) return [];
    const { first, recordCount } = decodeBatchHead(bytes);
    const last = first + recordCount - 1;
    return Array.from({ length: last - from + 1 }, (_, i) => from + i);
  });
}
