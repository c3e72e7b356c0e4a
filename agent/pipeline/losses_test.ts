import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeRecord } from "../../common/record/mod.ts";
import { LOSS_CAUSES } from "../../common/wire/mod.ts";
import { SequenceGaps } from "./gaps.ts";
import type { StatsRow } from "../sensors/sensor.ts";
import { LossLedger } from "./losses.ts";

const NOTHING: StatsRow = {
  kind: 1,
  source: 0,
  sequence: 0,
  seen: 0,
  submitted: 0,
  filtered: 0,
  ringFull: 0,
  oversized: 0,
  unreadable: 0,
  folded: 0,
};

Deno.test("reconcile() names each loss once", () => {
  const ledger = new LossLedger();
  const gaps = { missing: () => 3 };
  const first = ledger.reconcile([{ ...NOTHING, ringFull: 2, oversized: 1 }], gaps);
  assertEquals(first.map(({ cause, count }) => [cause, count]), [
    [LOSS_CAUSES.ring_full, 2],
    [LOSS_CAUSES.oversized, 1],
  ]);
  assertEquals(ledger.reconcile([{ ...NOTHING, ringFull: 2, oversized: 1 }], gaps), []);
  const later = ledger.reconcile([{ ...NOTHING, ringFull: 5, oversized: 1 }], { missing: () => 6 });
  assertEquals(later.map(({ cause, count }) => [cause, count]), [[LOSS_CAUSES.ring_full, 3]]);
  assertEquals(ledger.total, 6);
});

Deno.test("reconcile() reports a gap that no counter explains", () => {
  const rows = [{ ...NOTHING, ringFull: 2 }];
  const losses = new LossLedger().reconcile(rows, { missing: () => 5 }, { isLast: true });
  assertEquals(losses.map(({ cause, count, kind }) => [cause, count, kind]), [
    [LOSS_CAUSES.ring_full, 2, 1],
    [LOSS_CAUSES.sequence_gap, 3, 0],
  ]);
});

Deno.test("reconcile() takes a table that was full for no record that was lost", () => {
  const connections = { ...NOTHING, kind: 0, source: 0x4000, ringFull: 1000 };
  const rows = [{ ...NOTHING, source: 0x4000, ringFull: 2 }, connections];
  const losses = new LossLedger().reconcile(rows, { missing: () => 5 }, { isLast: true });
  assertEquals(losses.map(({ cause, count, kind }) => [cause, count, kind]), [
    [LOSS_CAUSES.ring_full, 2, 1],
    [LOSS_CAUSES.sequence_gap, 3, 0],
  ]);
});

Deno.test("reconcile() takes a record that comes late for none that was lost", () => {
  const ledger = new LossLedger();
  const countOf = (missing: number) =>
    ledger.reconcile([NOTHING], { missing: () => missing }).map(({ count }) => count);
  assertEquals(countOf(1), []);
  assertEquals(countOf(0), []);
  assertEquals(countOf(2), []);
  assertEquals(countOf(1), [1]);
  assertEquals(countOf(3), []);
  assertEquals(countOf(3), [2]);
  assertEquals(ledger.total, 3);
});

Deno.test("reconcile() adds up with an independent count under any loss", () => {
  const fate = fc.constantFrom("received", "ringFull", "oversized", "unreadable", "vanished");
  fc.assert(fc.property(fc.array(fate, { minLength: 1, maxLength: 400 }), (fates) => {
    const gaps = new SequenceGaps();
    const ledger = new LossLedger();
    const counters = { ...NOTHING };
    // A last record arrives, so that all gaps lie below it.
    [...fates, "received" as const].forEach((what, i) => {
      counters.seen++;
      if (what === "received") {
        counters.submitted++;
        gaps.observe(encodeRecord("fork", { header: { source: 0, sequence: i + 1 } }));
      } else if (what !== "vanished") counters[what]++;
      ledger.reconcile([counters], gaps);
    });
    ledger.reconcile([counters], gaps, { isLast: true });
    const lost = fates.filter((what) => what !== "received").length;
    assertEquals(ledger.total, lost);
  }));
});

Deno.test("LossLedger tells each call that a program left out once", () => {
  const ledger = new LossLedger();
  const program = (name: string, missed: number) => ({
    name,
    missed,
    runs: 0,
    runTimeNs: 0,
    attached: true,
  });
  assertEquals(ledger.reconcilePrograms([program("on_exec", 0)]), []);
  const [loss] = ledger.reconcilePrograms([program("on_exec", 2), program("on_signal", 1)]);
  const { cause, count, certain } = loss ?? {};
  assertEquals([cause, count, certain], [LOSS_CAUSES.program_missed, 3, false]);
  assertEquals(ledger.reconcilePrograms([program("on_exec", 2), program("on_signal", 1)]), []);
  assertEquals(ledger.total, 3);
});
