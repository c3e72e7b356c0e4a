import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { FakeClock } from "../config/clock.ts";
import { ImmuneError } from "../config/errors.ts";
import { inFolder, origin, sampleRecords, SEED, segmentPaths } from "../journal/_test_support.ts";
import { Journal, JournalReader } from "../journal/mod.ts";
import { type Loss, LOSS_CAUSES } from "../wire/mod.ts";
import { ModelHive } from "./_hive_test_support.ts";
import type { Answer } from "./answer.ts";
import { Link, type LinkStatus } from "./link.ts";
import { JOINED_RECORDS_MAX } from "./outbox.ts";

const SMALL = { segmentBytes: 4096, totalBytes: 1024 * 1024, flushMs: 60_000 };
const UNREACHABLE: Answer = { type: "unreachable", reason: "no way" };

function shared(): BigInt64Array<SharedArrayBuffer> {
  return new BigInt64Array(new SharedArrayBuffer(8));
}

function loss(count: number): Loss {
  return { cause: LOSS_CAUSES.ring_full, kind: 0, source: 3, certain: true, count, first: 0 };
}

/** A link of a journal to a hive, whose waits are over at once. */
class Run {
  readonly statuses: LinkStatus[] = [];
  readonly warnings: string[] = [];
  readonly acknowledged: number[] = [];
  readonly link: Link;
  readonly #clock = new FakeClock();
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  #woken = Promise.withResolvers<void>();
  readonly ended: Promise<void>;

  constructor(reader: JournalReader, hive: ModelHive, options: { probeMs?: number } = {}) {
    this.link = new Link({
      reader,
      transport: hive,
      clock: this.#clock,
      random: () => 0.5,
      ...options,
      onStatus: (status) => {
        this.statuses.push(status);
        if (status.retryMs !== undefined) setTimeout(() => this.#clock.advance(60_000), 0);
        this.#wake();
      },
      onAcknowledged: (position) => {
        this.acknowledged.push(position);
        this.#wake();
      },
      onWarning: (warning) => this.warnings.push(warning),
    });
    this.ended = this.link.run(this.#stopping.signal, { ending: this.#ending.signal });
  }

  /** Waits until something holds, looking whenever the link reports. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await Promise.race([this.#woken.promise, this.ended]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.ended;
  }

  /** Ends it as soon as all is delivered. */
  async end(): Promise<void> {
    this.#ending.abort();
    await this.ended;
  }

  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }
}

/** Delivers all that a journal has on the disk. */
async function deliver(journal: Journal, reader: JournalReader, hive: ModelHive): Promise<Run> {
  journal.flush();
  const run = new Run(reader, hive);
  const last = journal.stats().durable;
  await run.until(() => run.acknowledged.at(-1) === last);
  await run.stop();
  return run;
}

function fill(journal: Journal, rounds: number, options: { readonly from?: number } = {}): void {
  const { from = 0 } = options;
  for (let i = from; i < from + rounds; i++) journal.append(sampleRecords(4, i), origin(4));
}

/** Every position is stored or passed over, exactly once. */
function assertWhole(hive: ModelHive, last: number): void {
  for (let at = 1; at <= last; at++) {
    assertEquals(hive.records.has(at) !== hive.passed.has(at), true, `position ${at}`);
  }
  assertEquals(hive.position, last);
}

Deno.test("Link.run() delivers every record once, in order, small batches joined", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    fill(journal, 1400);
    const hive = new ModelHive();
    const run = await deliver(journal, reader, hive);
    assertWhole(hive, 5600);
    assertEquals(hive.passed.size, 0);
    const bytes = Array.from({ length: 1400 }, (_, i) => [...sampleRecords(4, i)]).flat();
    assertEquals([...hive.records.values()].flatMap((record) => [...record]), bytes);
    assertEquals(hive.messages.map(([first]) => first), [1, 3001]);
    assert(hive.messages.every(([first, last]) => last - first < JOINED_RECORDS_MAX));
    assertEquals(run.acknowledged, [3000, 5600]);
    assertEquals(run.statuses.map(({ state }) => state), ["CONNECTING", "CONNECTED"]);
  }));

Deno.test("Link.run() sends what is appended later, without waiting for more", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    const hive = new ModelHive();
    const run = new Run(reader, hive);
    for (let round = 1; round <= 5; round++) {
      fill(journal, 1, { from: round });
      journal.flush();
      await run.until(() => run.acknowledged.at(-1) === round * 4);
    }
    await run.stop();
    assertWhole(hive, 20);
  }));

Deno.test("Link.run() carries losses once, beside records that are joined", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    for (let i = 0; i < 5; i++) {
      journal.append(sampleRecords(2, i), { ...origin(2), losses: [loss(i + 1)] });
    }
    const hive = new ModelHive();
    await deliver(journal, reader, hive);
    assertEquals(hive.losses.reduce((sum, { count }) => sum + count, 0), 15);
    assertEquals(hive.messages, [[1, 10]]);
  }));

Deno.test("Link.run() tries again after waits that grow, and goes on where it was", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    fill(journal, 3);
    const hive = new ModelHive();
    hive.answers.push(UNREACHABLE, UNREACHABLE, { type: "busy", reason: "full" });
    const run = await deliver(journal, reader, hive);
    assertEquals(hive.messages, Array.from({ length: 4 }, () => [1, 12] as const));
    assertEquals(run.statuses, [
      { state: "CONNECTING" },
      { state: "DISCONNECTED", reason: "no way", retryMs: 500 },
      { state: "CONNECTING" },
      { state: "DISCONNECTED", reason: "no way", retryMs: 1000 },
      { state: "CONNECTING" },
      { state: "ERROR", reason: "full", retryMs: 2000 },
      { state: "CONNECTING" },
      { state: "CONNECTED" },
    ]);
    assertEquals(run.link.counters.failures, 3);
  }));

Deno.test("Link.run() jumps to the position that the hive has from a former run", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    fill(journal, 1000);
    const hive = new ModelHive();
    {
      using reader = JournalReader.open(folder, { durable });
      await deliver(journal, reader, hive);
    }
    fill(journal, 1, { from: 1000 });
    using reader = JournalReader.open(folder, { durable, from: 1 });
    hive.messages.length = 0;
    await deliver(journal, reader, hive);
    assertEquals(hive.messages, [[1, 3000], [4001, 4004]]);
    assertWhole(hive, 4004);
  }));

Deno.test("Link.run() names what the journal gave up before it could be sent", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, totalBytes: 4 * 4096, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    const hive = new ModelHive();
    fill(journal, 1);
    await deliver(journal, reader, hive);
    fill(journal, 100, { from: 1 });
    await deliver(journal, reader, hive);
    const { evictedRecords, next } = journal.stats();
    assert(evictedRecords > 0);
    assertWhole(hive, next - 1);
    // The first four were there already: given up here, and not lost.
    assertEquals(hive.passed.size, evictedRecords - 4);
    assertEquals(new Set(hive.passed.values()), new Set([LOSS_CAUSES.journal_evicted]));
  }));

Deno.test("Link.run() goes back where the hive asks to, and names what is not there any more", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    const hive = new ModelHive();
    fill(journal, 100);
    await deliver(journal, reader, hive);
    journal.acknowledge(300);
    assert(segmentPaths(folder).length > 1);
    // The hive is set back to an older copy of its store.
    const restored = new ModelHive();
    restored.position = 50;
    fill(journal, 1, { from: 100 });
    const run = await deliver(journal, reader, restored);
    assertEquals(restored.position, 404);
    const oldest = restored.passed.size + 51;
    for (let at = 51; at <= 404; at++) {
      assertEquals(restored.passed.has(at), at < oldest);
      assertEquals(restored.records.has(at), at >= oldest);
    }
    assertEquals(run.warnings, [
      `The hive asks for position 51; ${oldest - 51} records from there on are not in the ` +
      "journal any more",
    ]);
    assertEquals(run.link.counters.gaps, 1);
  }));

Deno.test("Link.run() leaves out what the hive never takes, as a loss, and no record beside it", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    for (let i = 0; i < 50; i++) {
      journal.append(sampleRecords(4, i), { ...origin(4), losses: [loss(1)] });
    }
    const hive = new ModelHive();
    hive.bad.add(42);
    const run = await deliver(journal, reader, hive);
    assertWhole(hive, 200);
    assertEquals([...hive.passed.keys()], [41, 42, 43, 44]);
    assertEquals(hive.passed.get(42), LOSS_CAUSES.journal_corrupt);
    assertEquals(hive.losses.reduce((sum, { count }) => sum + count, 0), 50);
    assertEquals(run.link.counters.refusedRecords, 4);
    assertEquals(run.warnings, [
      "The hive refuses positions 41 to 44 (BATCH_MALFORMED); 4 records are left out and counted " +
      "as lost",
    ]);
  }));

Deno.test("Link.run() keeps the loss of a refused end until there is a record to carry it", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    const hive = new ModelHive();
    fill(journal, 1);
    journal.flush();
    const run = new Run(reader, hive, { probeMs: 1 });
    await run.until(() => run.acknowledged.at(-1) === 4);
    hive.bad.add(5);
    fill(journal, 1, { from: 1 });
    journal.flush();
    await run.until(() => run.link.counters.refusedRecords === 4);
    // The hive is asked whether it is there, which must not use the loss up.
    const asked = hive.messages.length;
    await run.until(() => hive.messages.length > asked + 2);
    fill(journal, 1, { from: 2 });
    journal.flush();
    await run.until(() => run.acknowledged.at(-1) === 12);
    await run.stop();
    assertWhole(hive, 12);
    assertEquals([...hive.passed.keys()], [5, 6, 7, 8]);
  }));

Deno.test("Link.run() ends when the hive takes nothing from this agent any more", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    fill(journal, 1);
    journal.flush();
    const hive = new ModelHive();
    hive.answers.push({ type: "forbidden", reason: "CERTIFICATE_REFUSED: revoked" });
    const run = new Run(reader, hive);
    const error = await assertRejects(() => run.ended, ImmuneError);
    assertEquals([error.code, error.message], [
      "CERTIFICATE_REFUSED",
      "The hive takes nothing more: CERTIFICATE_REFUSED: revoked",
    ]);
    assertEquals(run.statuses.at(-1)?.state, "ERROR");
    assertEquals(hive.messages.length, 1);
  }));

Deno.test("Link.run() ends when the hive has what this journal never gave out", () =>
  inFolder(async (folder) => {
    for (const ahead of [{ position: 9 }, { expected: 10 }]) {
      const durable = shared();
      using journal = Journal.open(`${folder}${JSON.stringify(ahead).length}`, {
        ...SMALL,
        publishTo: durable,
      });
      using reader = JournalReader.open(`${folder}${JSON.stringify(ahead).length}`, { durable });
      fill(journal, 2);
      journal.flush();
      const hive = new ModelHive();
      hive.answers.push(
        ahead.position === undefined
          ? { type: "gap", expected: ahead.expected ?? 0, reason: "BATCH_GAP" }
          : { type: "stored", journalId: journal.id, position: ahead.position },
      );
      const error = await assertRejects(() => new Run(reader, hive).ended, ImmuneError);
      assertEquals(error.code, "JOURNAL_CORRUPT");
    }
  }));

Deno.test("Link.run() that is to end delivers what is on the disk, from a hive that answers", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    fill(journal, 600);
    journal.flush();
    const hive = new ModelHive();
    const run = new Run(reader, hive);
    await run.end();
    assertWhole(hive, 2400);

    fill(journal, 600, { from: 600 });
    journal.flush();
    hive.answers.push(UNREACHABLE);
    const next = new Run(reader, hive);
    await next.end();
    assertEquals(hive.position, 2400);
    assertEquals(next.statuses.at(-1)?.state, "DISCONNECTED");
  }));

Deno.test("Link.run() does not take another message's acknowledgement for its own", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    fill(journal, 2);
    const hive = new ModelHive();
    hive.answers.push(
      { type: "stored", journalId: "ff".repeat(16), position: 8 },
      { type: "stored", journalId: journal.id, position: 3 },
    );
    const run = await deliver(journal, reader, hive);
    assertEquals(run.acknowledged, [8]);
    assertEquals(run.link.counters.failures, 2);
    assertWhole(hive, 8);
  }));

Deno.test("Link.run() waits between requests of a hive that asks for the same position for ever", () =>
  inFolder(async (folder) => {
    const durable = shared();
    using journal = Journal.open(folder, { ...SMALL, publishTo: durable });
    using reader = JournalReader.open(folder, { durable });
    fill(journal, 4);
    const gap: Answer = { type: "gap", expected: 1, reason: "BATCH_GAP" };
    const hive = new ModelHive();
    hive.answers.push(gap, gap, gap, gap);
    const run = await deliver(journal, reader, hive);
    assertEquals(run.link.counters.failures, 3);
    assertWhole(hive, 16);
  }));

Deno.test("Link.run() accounts for every position, whatever fails, is given up or set back", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.constantFrom("append", "flood", "unreachable", "busy", "bad", "restart", "reopen"),
        { minLength: 3, maxLength: 25 },
      ),
      (steps) =>
        inFolder(async (folder) => {
          const options = { ...SMALL, totalBytes: 5 * 4096 };
          let durable = shared();
          let journal = Journal.open(folder, { ...options, publishTo: durable });
          fill(journal, 1);
          journal.flush();
          let reader = JournalReader.open(folder, { durable });
          const hive = new ModelHive();
          let seed = 1;
          for (const step of steps) {
            fill(journal, step === "flood" ? 60 : 2, { from: seed });
            seed += 60;
            if (step === "unreachable") hive.answers.push(UNREACHABLE);
            if (step === "busy") hive.answers.push({ type: "busy", reason: "full" });
            if (step === "bad") hive.bad.add(journal.stats().next - 5);
            if (step === "restart" || step === "reopen") {
              reader[Symbol.dispose]();
              if (step === "reopen") {
                journal.close();
                durable = shared();
                journal = Journal.open(folder, { ...options, publishTo: durable });
              }
              reader = JournalReader.open(folder, { durable });
            }
            if (step === "append" || step === "restart") {
              fill(journal, 1, { from: seed++ });
              const run = await deliver(journal, reader, hive);
              journal.acknowledge(run.acknowledged.at(-1) ?? 0);
            }
          }
          fill(journal, 1, { from: seed });
          await deliver(journal, reader, hive);
          assertWhole(hive, journal.stats().next - 1);
          reader[Symbol.dispose]();
          journal.close();
        }),
    ),
    { numRuns: 60, seed: SEED },
  ));
