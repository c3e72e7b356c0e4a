import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { inFolder, origin, sampleRecords, SEED, segmentPaths } from "./_test_support.ts";
import { Journal, JournalReader, type StoredBatch } from "./mod.ts";

const SMALL = { segmentBytes: 4096, totalBytes: 1024 * 1024, flushMs: 60_000 };

function shared(): BigInt64Array<SharedArrayBuffer> {
  return new BigInt64Array(new SharedArrayBuffer(8));
}

function rest(reader: JournalReader): StoredBatch[] {
  const batches: StoredBatch[] = [];
  for (let batch = reader.next(); batch; batch = reader.next()) batches.push(batch);
  return batches;
}

Deno.test("JournalReader.next() gives what is on the disk and nothing before it is", () =>
  inFolder((folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    assertEquals(reader.journalId, journal.id);
    journal.append(sampleRecords(3, 1), origin(3));
    assertEquals(reader.next(), undefined);
    journal.flush();
    assertEquals(reader.durable, 3);
    const batch = reader.next();
    assertEquals(batch?.info.first, 1);
    assertEquals(batch?.records, sampleRecords(3, 1));
    assertEquals(reader.next(), undefined);
    assertEquals(reader.position, 4);
  }));

Deno.test("JournalReader.next() follows from segment to segment, each batch once and whole", () =>
  inFolder((folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    const seen: Uint8Array[] = [];
    for (let round = 0; round < 60; round++) {
      journal.append(sampleRecords(4, round), origin(4));
      if (round % 7 === 6) journal.flush();
      for (const { records } of rest(reader)) seen.push(records);
    }
    journal.flush();
    for (const { records } of rest(reader)) seen.push(records);
    assert(segmentPaths(folder).length > 3);
    assertEquals(seen, Array.from({ length: 60 }, (_, round) => sampleRecords(4, round)));
  }));

Deno.test("JournalReader.open() begins behind the acknowledged position of a former run", () =>
  inFolder((folder) => {
    {
      using journal = Journal.open(folder, SMALL);
      for (let i = 0; i < 9; i++) journal.append(sampleRecords(2, i), origin(2));
      journal.flush();
      journal.acknowledge(6);
    }
    const durable = shared();
    using _journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    assertEquals(reader.position, 7);
    assertEquals(rest(reader).map(({ info }) => info.first), [7, 9, 11, 13, 15, 17]);
  }));

Deno.test("JournalReader.seek() goes back; a position inside a batch gives the whole batch", () =>
  inFolder((folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    for (let i = 0; i < 30; i++) journal.append(sampleRecords(5, i), origin(5));
    journal.flush();
    using reader = JournalReader.open(folder, { durable });
    rest(reader);
    reader.seek(8);
    assertEquals(reader.next()?.info.first, 6);
    reader.seek(141);
    assertEquals(rest(reader).map(({ info }) => info.first), [141, 146]);
  }));

Deno.test("JournalReader.next() goes on behind segments that were let go under it", () =>
  inFolder((folder) => {
    const durable = shared();
    using journal = Journal.open(folder, {
      ...SMALL,
      totalBytes: 4 * 4096,
      publishTo: durable,
    });
    using reader = JournalReader.open(folder, { durable });
    journal.append(sampleRecords(2, 0), origin(2));
    journal.flush();
    assertEquals(reader.next()?.info.first, 1);
    for (let i = 1; i < 80; i++) journal.append(sampleRecords(4, i), origin(4));
    journal.flush();
    const { evictedRecords, durable: last } = journal.stats();
    assert(evictedRecords > 0);
    const batches = rest(reader);
    assert((batches[0]?.info.first ?? 0) > 3, "what was evicted is not given");
    assertEquals(batches[0]?.info.first, evictedRecords + 1);
    assertEquals(reader.oldest, batches[0]?.info.first);
    const end = batches.at(-1)?.info;
    assertEquals((end?.first ?? 0) + (end?.recordCount ?? 0) - 1, last);
  }));

Deno.test("JournalReader.next() skips damage inside a segment and says so by its positions", () =>
  inFolder((folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, segmentBytes: 64 * 1024, publishTo: durable });
    for (let i = 0; i < 20; i++) journal.append(sampleRecords(3, i), origin(3));
    journal.flush();
    const [path = ""] = segmentPaths(folder);
    const bytes = Deno.readFileSync(path);
    bytes.fill(0xFF, 2000, 2600);
    Deno.writeFileSync(path, bytes);
    using reader = JournalReader.open(folder, { durable });
    const given = rest(reader).map(({ info }) => info.first);
    assert(given.length < 20 && given.length > 12);
    assertEquals(given.at(-1), 58);
    assertEquals(given, given.toSorted((a, b) => a - b));
  }));

Deno.test("JournalReader.next() does not trust bytes that were read ahead of the durable end", () =>
  inFolder((folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, segmentBytes: 64 * 1024, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    journal.append(sampleRecords(3, 1), origin(3));
    journal.flush();
    const [path = ""] = segmentPaths(folder);
    const size = Deno.statSync(path).size;
    // As a write that failed half way looks before it is taken back.
    Deno.writeFileSync(path, new Uint8Array(900).fill(0xAB), { append: true });
    assertEquals(reader.next()?.info.first, 1);
    assertEquals(reader.next(), undefined);
    Deno.truncateSync(path, size);
    journal.append(sampleRecords(6, 2), origin(6));
    journal.flush();
    const batch = reader.next();
    assertEquals(batch?.info.first, 4);
    assertEquals(batch?.records, sampleRecords(6, 2));
  }));

Deno.test("JournalReader.more() wakes at the next flush and waits again when all was seen", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    assertEquals(await reader.more(1), false);
    const waiting = reader.more(60_000);
    journal.append(sampleRecords(1, 1), origin(1));
    journal.flush();
    assertEquals(await waiting, true);
    assertEquals(rest(reader).length, 1);
    assertEquals(await reader.more(1), false);
  }));

Deno.test("JournalReader.open() refuses a folder without a journal", () =>
  inFolder((folder) => {
    assertThrows(
      () => JournalReader.open(folder, { durable: shared() }),
      Error,
      `Cannot read journal "${folder}": it has no id`,
    );
  }));

Deno.test("JournalReader.next() gives exactly what a cursor of the writer gives, any history", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("append", "flush", "read", "acknowledge", "reopen"), {
        minLength: 5,
        maxLength: 60,
      }),
      (steps) =>
        inFolder((folder) => {
          const durable = shared();
          let journal = Journal.open(folder, { ...SMALL, publishTo: durable });
          using reader = JournalReader.open(folder, { durable });
          const given: number[] = [];
          const read = (): void => {
            for (const { info } of rest(reader)) given.push(info.first);
          };
          let seed = 0;
          const appended: number[] = [];
          for (const step of steps) {
            if (step === "append") {
              const result = journal.append(sampleRecords(5, ++seed), origin(5));
              if (result.written) appended.push(result.first);
            } else if (step === "flush") journal.flush();
            else if (step === "read") read();
            else if (step === "acknowledge") journal.acknowledge(reader.position - 1);
            else if (appended.length > 0) {
              // Without a segment the next opening would be another journal.
              journal.close();
              journal = Journal.open(folder, { ...SMALL, publishTo: durable });
            }
          }
          journal.close();
          read();
          assertEquals(given, appended);
        }),
    ),
    { numRuns: 60, seed: SEED },
  ));

Deno.test("Journal.acknowledge() lets segments go although the position cannot be kept", () =>
  inFolder((folder) => {
    using journal = Journal.open(folder, SMALL);
    for (let i = 0; i < 40; i++) journal.append(sampleRecords(4, i), origin(4));
    journal.flush();
    const before = journal.stats().segments;
    // The name that the position is written under on the way is taken by a folder.
    Deno.mkdirSync(`${folder}/acknowledged.new`);
    journal.acknowledge(120);
    assert(journal.stats().segments < before);
    assertEquals(journal.stats().failedSaves, 1);
    Deno.removeSync(`${folder}/acknowledged.new`);
  }));
