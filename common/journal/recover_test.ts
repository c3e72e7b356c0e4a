import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LOSS_CAUSES } from "../wire/loss.ts";
import {
  inFolder,
  numbersFrom,
  origin,
  sampleRecords,
  SEED,
  segmentPaths,
} from "./_test_support.ts";
import { Journal, type JournalOptions } from "./mod.ts";

const OPTIONS: JournalOptions = { segmentBytes: 4096, totalBytes: 1 << 20, flushMs: 0 };

/** Appends batches of three records and gives where each ends in its segment. */
function fill(folder: string, batches: number): void {
  using journal = Journal.open(folder, OPTIONS);
  for (let i = 0; i < batches; i++) journal.append(sampleRecords(3, i), origin(3));
}

function firsts(journal: Journal): number[] {
  return [...journal.read(1)].map(({ info }) => info.first);
}

function batchEnds(path: string): number[] {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer);
  const ends = [0];
  for (let at = 0; at < bytes.length; ends.push(at)) at += view.getUint32(at + 8, true);
  return ends;
}

Deno.test("Journal.open() gives exactly the whole batches, cut at every byte", () =>
  inFolder((folder) => {
    fill(folder, 12);
    const path = segmentPaths(folder).at(-1) ?? "";
    const whole = Deno.readFileSync(path);
    const ends = batchEnds(path);
    let before = 0;
    {
      using journal = Journal.open(folder, OPTIONS);
      before = firsts(journal).length - (ends.length - 1);
    }
    assert(ends.length > 2 && before > 0, "a segment of several batches, and one before it");
    for (let length = 0; length <= whole.length; length++) {
      Deno.writeFileSync(path, whole.subarray(0, length));
      using journal = Journal.open(folder, OPTIONS);
      const there = ends.filter((end) => end > 0 && end <= length);
      assertEquals(firsts(journal).length, before + there.length, `cut at ${length}`);
      assertEquals(journal.recovery.cutBytes, length - Math.max(0, ...there), `cut at ${length}`);
      assertEquals(journal.recovery.damagedBytes, 0);
      assertEquals(Deno.statSync(path).size, Math.max(0, ...there));
    }
  }));

Deno.test("Journal.open() cut in a batch goes on behind it and accounts for its records", () =>
  inFolder((folder) => {
    fill(folder, 2);
    const path = segmentPaths(folder)[0] ?? "";
    Deno.truncateSync(path, Deno.statSync(path).size - 8);
    using journal = Journal.open(folder, OPTIONS);
    assertEquals(journal.recovery.lostRecords, 3);
    const appended = journal.append(sampleRecords(1, 9), origin(1));
    assertEquals(appended, { written: true, first: 7, last: 7 });
    const losses = [...journal.read(7)].flatMap(({ info }) => info.losses);
    const cause = LOSS_CAUSES.journal_corrupt;
    assertEquals(losses, [{ cause, kind: 0, source: 0, certain: true, count: 3, first: 4 }]);
  }));

Deno.test("Journal.open() skips a damaged middle, counts it once, and reads what follows", () =>
  inFolder((folder) => {
    fill(folder, 30);
    const paths = segmentPaths(folder);
    const [path = ""] = paths;
    const bytes = Deno.readFileSync(path);
    const [, start = 0] = batchEnds(path);
    bytes.fill(0xEE, start + 20, start + 300);
    Deno.writeFileSync(path, bytes);
    const expected = Array.from({ length: 30 }, (_, i) => 1 + 3 * i).filter((first) => first !== 4);
    {
      using journal = Journal.open(folder, OPTIONS);
      assertEquals(firsts(journal), expected);
      assertEquals(journal.recovery.lostRecords, 3);
      assert(journal.recovery.damagedBytes > 280);
      journal.append(sampleRecords(1, 0), origin(1));
      const [batch] = journal.read(91);
      const cause = LOSS_CAUSES.journal_corrupt;
      assertEquals(batch?.info.losses, [
        { cause, kind: 0, source: 0, certain: true, count: 3, first: 4 },
      ]);
    }
    using journal = Journal.open(folder, OPTIONS);
    assertEquals(journal.recovery.lostRecords, 0, "a later ledger has it");
    assertEquals(firsts(journal), [...expected, 91]);
  }));

Deno.test("Journal.open() skips a segment of garbage and counts its positions", () =>
  inFolder((folder) => {
    fill(folder, 30);
    const paths = segmentPaths(folder);
    const [path = "", after = ""] = paths.slice(1);
    const position = (name: string): number => Number(/(\d+)\.batches$/.exec(name)?.[1]);
    Deno.writeFileSync(path, crypto.getRandomValues(new Uint8Array(3000)));
    using journal = Journal.open(folder, OPTIONS);
    assertEquals(journal.recovery.lostRecords, position(after) - position(path));
    assertEquals(journal.recovery.damagedBytes, 3000);
    assertEquals(firsts(journal).filter((first) => first >= position(after)).length > 0, true);
  }));

Deno.test("Journal.open() never throws, files overwritten at random", () =>
  fc.assert(
    fc.asyncProperty(fc.integer(), (seed) =>
      inFolder((folder) => {
        fill(folder, 20);
        const next = numbersFrom(seed);
        for (const entry of [...Deno.readDirSync(folder)]) {
          const path = `${folder}/${entry.name}`;
          const bytes = Deno.readFileSync(path);
          const kept = bytes.subarray(0, Math.floor(bytes.length * (next() < 0.5 ? 1 : next())));
          for (let i = 0; i < 4; i++) {
            kept.fill(256 * next(), kept.length * next(), kept.length * next());
          }
          if (next() < 0.8) Deno.writeFileSync(path, kept);
          else Deno.removeSync(path);
        }
        Deno.writeTextFileSync(`${folder}/0000000000000000.batches`, "not one of ours");
        using journal = Journal.open(folder, OPTIONS);
        const read = firsts(journal);
        const appended = journal.append(sampleRecords(2, 5), origin(2));
        assert(appended.written);
        assertEquals(firsts(journal), [...read, appended.first]);
      })),
    { seed: SEED, numRuns: 60 },
  ));

Deno.test("Journal.open() removes a segment that was given up before the process ended", () =>
  inFolder((folder) => {
    fill(folder, 40);
    const [oldest = ""] = segmentPaths(folder);
    const kept = Deno.readFileSync(oldest);
    {
      using journal = Journal.open(folder, { ...OPTIONS, totalBytes: 8192 });
      journal.append(sampleRecords(3, 1), origin(3));
    }
    assert(!segmentPaths(folder).includes(oldest), "it was given up");
    Deno.writeFileSync(oldest, kept);
    using journal = Journal.open(folder, OPTIONS);
    assertEquals(journal.recovery.removedSegments, 1);
    assertEquals(journal.recovery.lostRecords, 0);
  }));

Deno.test("Journal.open() starts a new journal where no segment is left", () =>
  inFolder((folder) => {
    fill(folder, 3);
    const id = Deno.readTextFileSync(`${folder}/journal_id`);
    for (const path of segmentPaths(folder)) Deno.removeSync(path);
    using journal = Journal.open(folder, OPTIONS);
    assert(journal.id !== id.trim(), "positions would stand for other records");
  }));

Deno.test("Journal.open() takes the id from its segments where the file is gone", () =>
  inFolder((folder) => {
    fill(folder, 3);
    const id = Deno.readTextFileSync(`${folder}/journal_id`).trim();
    Deno.removeSync(`${folder}/journal_id`);
    using journal = Journal.open(folder, OPTIONS);
    assertEquals([journal.id, firsts(journal).length], [id, 3]);
  }));

Deno.test("Journal.open() takes a batch of another journal for damage", () =>
  inFolder((folder) => {
    fill(folder, 2);
    fill(`${folder}-other`, 3);
    const [path = "", other = ""] = [folder, `${folder}-other`].map((each) =>
      segmentPaths(each)[0] ?? ""
    );
    const foreign = Deno.readFileSync(other).subarray(batchEnds(other)[2]);
    Deno.writeFileSync(path, foreign, { append: true });
    using journal = Journal.open(folder, OPTIONS);
    assertEquals(firsts(journal), [1, 4]);
    assertEquals(journal.recovery.cutBytes, foreign.length);
  }));

Deno.test("Journal.acknowledge() is on the disk before the segments that it lets go are gone", () =>
  inFolder((folder) => {
    const options = { ...OPTIONS, totalBytes: 1 << 20 };
    using journal = Journal.open(folder, options);
    for (let i = 0; i < 40; i++) journal.append(sampleRecords(3, i), origin(3));
    journal.acknowledge(100);
    const crashed = `${folder}-crashed`;
    Deno.mkdirSync(crashed);
    for (const { name } of Deno.readDirSync(folder)) {
      Deno.copyFileSync(`${folder}/${name}`, `${crashed}/${name}`);
    }
    using reopened = Journal.open(crashed, options);
    assertEquals(reopened.stats().acknowledged, 100);
  }));
