import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FakeClock } from "../config/clock.ts";
import { ImmuneError } from "../config/errors.ts";
import type { Loss } from "../wire/batch.ts";
import { LOSS_CAUSES } from "../wire/loss.ts";
import { inFolder, origin, sampleRecords, SEED, segmentPaths } from "./_test_support.ts";
import { Journal, type JournalOptions } from "./mod.ts";

const SMALL: JournalOptions = { segmentBytes: 4096, totalBytes: 16_384, flushMs: 0 };

function mustAppend(journal: Journal, count: number, seed: number): number {
  const appended = journal.append(sampleRecords(count, seed), origin(count));
  if (!appended.written) throw appended.error;
  assertEquals(appended.last - appended.first + 1, count);
  return appended.first;
}

function positions(journal: Journal): number[] {
  return [...journal.read(1)].flatMap(({ info }) =>
    Array.from({ length: info.recordCount }, (_, i) => info.first + i)
  );
}

function ledger(journal: Journal): Loss[] {
  return [...journal.read(1)].flatMap(({ info }) => info.losses);
}

Deno.test("Journal.append() gives positions from 1 without a hole, and they read back", () =>
  inFolder((folder) => {
    using journal = Journal.open(folder);
    assertEquals(mustAppend(journal, 3, 1), 1);
    assertEquals(mustAppend(journal, 2, 2), 4);
    journal.flush();
    const batches = [...journal.read(1)];
    assertEquals(batches.map(({ records }) => records), [
      sampleRecords(3, 1),
      sampleRecords(2, 2),
    ]);
    assertEquals(batches.map(({ info }) => info.journalId), [journal.id, journal.id]);
    assertEquals([...journal.read(3)].length, 2, "a batch that holds the position comes whole");
    assertEquals([...journal.read(4)].map(({ info }) => info.first), [4]);
    assertEquals([...journal.read(6)], []);
  }));

Deno.test("Journal.open() goes on where the last one ended, same id, private files", () =>
  inFolder((folder) => {
    let id = "";
    {
      using journal = Journal.open(folder, SMALL);
      id = journal.id;
      for (let i = 0; i < 30; i++) mustAppend(journal, 2, i);
    }
    using journal = Journal.open(folder, SMALL);
    assertEquals(journal.id, id);
    assertEquals(journal.recovery, {
      cutBytes: 0,
      damagedBytes: 0,
      lostRecords: 0,
      removedSegments: 0,
    });
    assertEquals(mustAppend(journal, 1, 0), 61);
    const mode = (path: string): number => (Deno.statSync(path).mode ?? 0) & 0o777;
    assertEquals(mode(folder), 0o700);
    for (const entry of Deno.readDirSync(folder)) {
      assertEquals(mode(`${folder}/${entry.name}`), 0o600);
    }
  }));

Deno.test("Journal.append() starts every segment with its context", () =>
  inFolder((folder) => {
    const context = { records: sampleRecords(2, 99), recordCount: 2 };
    using journal = Journal.open(folder, { ...SMALL, context: () => [context] });
    for (let i = 0; i < 20; i++) mustAppend(journal, 3, i);
    const starts = segmentPaths(folder).map((path) => Number(path.match(/(\d+)\.batches$/)?.[1]));
    assert(starts.length > 1, "more than one segment");
    for (const start of starts) {
      const first = [...journal.read(start)][0];
      assertEquals(first?.info.first, start);
      assertEquals(first?.records, context.records);
    }
    const held = positions(journal);
    assertEquals(held.at(-1), journal.stats().next - 1);
    assertEquals(new Set(held).size, held.length);
  }));

Deno.test("Journal.append() turns context over its share of a segment away and counts it", () =>
  inFolder((folder) => {
    const small = { records: sampleRecords(2, 1), recordCount: 2 };
    const huge = { records: sampleRecords(40, 2), recordCount: 40 };
    using journal = Journal.open(folder, { ...SMALL, context: () => [small, huge] });
    assertEquals(mustAppend(journal, 1, 1), 3);
    assertEquals(journal.stats().contextTurnedAway, 40);
  }));

Deno.test("Journal.append() carries losses with its batch", () =>
  inFolder((folder) => {
    using journal = Journal.open(folder, SMALL);
    const loss: Loss = {
      cause: LOSS_CAUSES.ring_full,
      kind: 1,
      source: 2,
      certain: true,
      count: 9,
      first: 77,
    };
    journal.append(sampleRecords(1, 1), { ...origin(1), losses: [loss] });
    assertEquals(ledger(journal), [loss]);
    mustAppend(journal, 1, 2);
    assertEquals(ledger(journal), [loss], "once");
  }));

Deno.test("Journal.append() refuses what does not hold and changes nothing", () =>
  inFolder((folder) => {
    using journal = Journal.open(folder, SMALL);
    const refusal = (records: Uint8Array, options = origin(1)): string =>
      assertThrows(() => journal.append(records, options), ImmuneError).code;
    assertEquals(refusal(new Uint8Array(0), origin(0)), "BATCH_MALFORMED");
    assertEquals(refusal(sampleRecords(2, 1)), "BATCH_MALFORMED");
    assertEquals(refusal(sampleRecords(1, 1), { ...origin(1), bootId: "x" }), "BATCH_MALFORMED");
    assertEquals(refusal(new Uint8Array(4 * 1024 * 1024)), "BATCH_TOO_LARGE");
    const bad = { cause: -1, kind: 0, source: 0, certain: true, count: 1, first: 0 };
    assertEquals(refusal(sampleRecords(1, 1), { ...origin(1), losses: [bad] }), "BATCH_MALFORMED");
    assertEquals(mustAppend(journal, 1, 1), 1);
    assertEquals(ledger(journal), []);
  }));

Deno.test("Journal.append() over the bound lets the oldest go, every record accounted for", () => {
  const step = fc.record({
    count: fc.integer({ min: 1, max: 12 }),
    acknowledge: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 8 }),
    reopen: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
  });
  return fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 60, maxLength: 120 }),
      (steps) =>
        inFolder((folder) => {
          let journal = Journal.open(folder, SMALL);
          const lostCount = { cause: LOSS_CAUSES.ring_full, kind: 1, source: 0, certain: true };
          let sensorLosses = 0;
          let settled = 0;
          steps.forEach(({ count, acknowledge, reopen }, i) => {
            const losses = [{ ...lostCount, count: 1, first: 0 }];
            journal.append(sampleRecords(count, i), { ...origin(count), losses });
            sensorLosses++;
            if (acknowledge !== null) {
              settled = Math.max(settled, Math.floor(acknowledge * journal.stats().durable));
              journal.acknowledge(settled);
            }
            if (reopen) {
              journal.close();
              journal = Journal.open(folder, SMALL);
              assertEquals(journal.recovery.lostRecords, 0);
            }
            assert(journal.stats().bytes <= 16_384, "within the bound");
          });
          const stats = journal.stats();
          assertEquals(stats.acknowledged, settled);
          const held = new Set(positions(journal));
          const losses = ledger(journal);
          const evicted = losses.filter(({ cause }) => cause === LOSS_CAUSES.journal_evicted);
          for (let position = settled + 1; position < stats.next; position++) {
            const lost = evicted.filter(({ first, count }) =>
              first <= position && position < first + count
            );
            const accounts = lost.length + (held.has(position) ? 1 : 0);
            assertEquals(accounts, 1, `position ${position} of ${stats.next}`);
          }
          if (settled === 0) {
            const rings = losses.filter(({ cause }) => cause === LOSS_CAUSES.ring_full);
            assertEquals(rings.reduce((sum, { count }) => sum + count, 0), sensorLosses);
          }
          journal.close();
        }),
    ),
    { seed: SEED, numRuns: 30 },
  );
});

Deno.test("Journal.acknowledge() lets whole segments go, survives a restart, knows its end", () =>
  inFolder((folder) => {
    {
      using journal = Journal.open(folder, { ...SMALL, totalBytes: 1 << 20 });
      for (let i = 0; i < 60; i++) mustAppend(journal, 2, i);
      const before = segmentPaths(folder).length;
      journal.acknowledge(100);
      assert(segmentPaths(folder).length < before, "segments went");
      assert((positions(journal)[0] ?? 0) <= 101, "nothing behind it went");
      assertEquals(journal.stats().evictedRecords, 0);
      journal.acknowledge(50);
      assertEquals(journal.stats().acknowledged, 100);
      assertEquals(
        assertThrows(() => journal.acknowledge(121), ImmuneError).code,
        "INPUT_MALFORMED",
      );
    }
    using journal = Journal.open(folder, SMALL);
    assertEquals(journal.stats().acknowledged, 100);
    assertEquals(journal.recovery.lostRecords, 0);
    assertEquals(mustAppend(journal, 1, 1), 121);
    assertEquals(ledger(journal), []);
  }));

Deno.test("Journal.cursor() gives only what is on the disk, and goes on after a flush", () =>
  inFolder((folder) => {
    const clock = new FakeClock();
    using journal = Journal.open(folder, { segmentBytes: 4096, totalBytes: 1 << 20, clock });
    using safe = journal.cursor(1);
    using early = journal.cursor(1, { unsynced: true });
    mustAppend(journal, 2, 1);
    assertEquals(safe.next(), undefined);
    assertEquals(early.next()?.info.first, 1);
    clock.advance(200);
    assertEquals(safe.next()?.records, sampleRecords(2, 1));
    assertEquals(safe.next(), undefined);
    const seen: number[] = [];
    for (let i = 0; i < 40; i++) {
      mustAppend(journal, 2, i);
      if (i % 7 === 0) journal.flush();
      for (let batch = safe.next(); batch; batch = safe.next()) seen.push(batch.info.first);
    }
    journal.flush();
    for (let batch = safe.next(); batch; batch = safe.next()) seen.push(batch.info.first);
    assertEquals(seen, Array.from({ length: 40 }, (_, i) => 3 + 2 * i));
    assert(segmentPaths(folder).length > 1, "across segments");
  }));

Deno.test("Journal.cursor() skips a segment that is let go under it", () =>
  inFolder((folder) => {
    using journal = Journal.open(folder, SMALL);
    mustAppend(journal, 2, 0);
    using cursor = journal.cursor(1);
    assertEquals(cursor.next()?.info.first, 1);
    for (let i = 0; i < 200; i++) mustAppend(journal, 2, i);
    const seen: number[] = [];
    for (let batch = cursor.next(); batch; batch = cursor.next()) seen.push(batch.info.first);
    assertEquals(seen.at(-1), 401);
    assertEquals(seen, seen.toSorted((a, b) => a - b));
    assert(seen.includes([...journal.read(1)][0]?.info.first ?? 0), "all that is left was read");
  }));

Deno.test("Journal.append() flushes by the clock: at most every flushMs, also without timers", () =>
  inFolder((folder) => {
    const clock = new FakeClock();
    using journal = Journal.open(folder, { clock });
    const flushes = (): number => journal.stats().flushes;
    const start = flushes();
    for (let i = 0; i < 10; i++) mustAppend(journal, 1, i);
    assertEquals([flushes() - start, journal.stats().durable], [0, 0]);
    clock.advance(199);
    assertEquals(flushes() - start, 0);
    clock.advance(1);
    assertEquals([flushes() - start, journal.stats().durable], [1, 10]);
    clock.advance(1000);
    assertEquals(flushes() - start, 1, "nothing to flush");
    assertEquals(clock.pendingTimers, 0);
  }));

Deno.test("Journal.flushIfDue() flushes where no timer runs", () =>
  inFolder((folder) => {
    let nowMs = 0;
    const clock = {
      nowMs: (): number => nowMs,
      monotonicMs: (): number => nowMs,
      setTimer: () => ({ cancel: (): void => {} }),
    };
    using journal = Journal.open(folder, { clock });
    mustAppend(journal, 1, 1);
    nowMs = 199;
    journal.flushIfDue();
    assertEquals(journal.stats().durable, 0);
    nowMs = 200;
    mustAppend(journal, 1, 2);
    assertEquals(journal.stats().durable, 2);
  }));

Deno.test("Journal.open() refuses a folder that is open, and names the process", () =>
  inFolder((folder) => {
    const journal = Journal.open(folder);
    const error = assertThrows(() => Journal.open(folder), ImmuneError);
    assertEquals(error.code, "STATE_LOCKED");
    assertStringIncludes(error.message, `pid ${Deno.pid}`);
    journal.close();
    Journal.open(folder).close();
  }));

Deno.test("Journal.open() refuses bounds that do not hold", () =>
  inFolder((folder) => {
    for (
      const options of [
        { segmentBytes: 100 },
        { segmentBytes: 8192, totalBytes: 10_000 },
        { flushMs: -1 },
        { flushMs: NaN },
        { segmentBytes: 5000.5 },
      ]
    ) {
      const error = assertThrows(() => Journal.open(folder, options), ImmuneError);
      assertEquals(error.code, "CONFIG_INVALID");
    }
    const file = `${folder}.file`;
    Deno.writeTextFileSync(file, "");
    assertEquals(assertThrows(() => Journal.open(file), ImmuneError).code, "STATE_UNUSABLE");
  }));
