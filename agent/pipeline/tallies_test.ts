import { assertEquals } from "@std/assert";
import { PLACES_MAX } from "../../common/wire/mod.ts";
import type { StatsRow } from "../sensors/sensor.ts";
import { TallyBook, TierBook } from "./tallies.ts";

const NONE = { filtered: 0, folded: 0, ringFull: 0, oversized: 0, unreadable: 0 };

function row(kind: number, source: number, submitted: number, folded = 0): StatsRow {
  const seen = submitted + folded;
  return { kind, source, sequence: submitted, ...NONE, seen, submitted, folded };
}

Deno.test("TallyBook adds the CPUs up, and tells what is new since the last time", () => {
  const book = new TallyBook();
  assertEquals(book.take([row(17, 0x4001, 5), row(1, 0, 2), row(17, 0x4000, 3, 4)]), [
    { kind: 1, ...NONE, seen: 2, submitted: 2 },
    { kind: 17, ...NONE, seen: 12, submitted: 8, folded: 4 },
  ]);
  assertEquals(book.take([row(17, 0x4001, 6), row(1, 0, 2), row(17, 0x4000, 3, 4)]), [
    { kind: 17, ...NONE, seen: 1, submitted: 1 },
  ]);
  assertEquals(book.take([row(17, 0x4001, 6), row(1, 0, 2), row(17, 0x4000, 3, 4)]), []);
});

const lost = (kind: number, source: number, ringFull: number): StatsRow => {
  return { ...row(kind, source, 1), seen: 1 + ringFull, ringFull };
};

Deno.test("TallyBook tells at which CPU records were lost, and what each table held", () => {
  const book = new TallyBook();
  const rows = [lost(17, 0x4001, 2), row(17, 0x4000, 9), lost(17, 0x4002, 5)];
  const tables = [row(0, 0, 3), lost(0, 1, 4), lost(0, 0x4001, 1)];
  assertEquals(book.takePlaces([...rows, ...tables]), [
    { kind: 0, source: 0, ...NONE, seen: 8, submitted: 4, ringFull: 4 },
    { kind: 0, source: 0x4000, ...NONE, seen: 2, submitted: 1, ringFull: 1 },
    { kind: 17, source: 0x4002, ...NONE, seen: 6, submitted: 1, ringFull: 5 },
    { kind: 17, source: 0x4001, ...NONE, seen: 3, submitted: 1, ringFull: 2 },
  ]);
  assertEquals(book.takePlaces([lost(17, 0x4001, 3), ...rows.slice(1), ...tables]), [
    { kind: 17, source: 0x4001, ...NONE, seen: 1, submitted: 0, ringFull: 1 },
  ]);
});

Deno.test("TallyBook tells later of the places that found no room, each loss once", () => {
  const book = new TallyBook();
  const rows = Array.from({ length: PLACES_MAX + 3 }, (_, cpu) => lost(17, 0x4000 + cpu, 1 + cpu));
  const first = book.takePlaces(rows);
  assertEquals([first.length, first[0]?.source], [PLACES_MAX, 0x4000 + PLACES_MAX + 2]);
  assertEquals(book.takePlaces(rows).map(({ source }) => source), [0x4002, 0x4001, 0x4000]);
  assertEquals(book.takePlaces(rows), []);
});

Deno.test("TallyBook tells which programs missed runs, once", () => {
  const book = new TallyBook();
  const program = { name: "on_exec", missed: 2, runs: 0, runTimeNs: 0, attached: true };
  const calm = { ...program, name: "on_fork", missed: 0 };
  assertEquals(book.takeMissed([program, calm]), [{ program: "on_exec", count: 2 }]);
  assertEquals(book.takeMissed([program, calm]), []);
});

Deno.test("TierBook tells which tiers are in force, with what is new of each, behind a pause too", () => {
  const book = new TierBook();
  const lsm = { tier: "lsm", judged: 9, refused: 4, monitored: 3, capped: 1, failed: 1 } as const;
  const none = { judged: 0, refused: 0, monitored: 0, capped: 0, failed: 0 };
  assertEquals(book.take([lsm]), [lsm]);
  assertEquals(book.take([lsm]), [{ tier: "lsm", ...none }]);
  assertEquals(book.take([]), []);
  const later = { ...lsm, judged: 11, refused: 6 };
  assertEquals(book.take([later]), [{ tier: "lsm", ...none, judged: 2, refused: 2 }]);
});
