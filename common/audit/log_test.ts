import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock } from "../config/clock.ts";
import { ImmuneError } from "../config/errors.ts";
import { inFolder, sampleFact, SMALL, writeLog } from "./_test_support.ts";
import {
  AuditLog,
  DETAIL_MEMBERS_MAX,
  encodeEntry,
  ENTRIES_PER_PAGE_MAX,
  ENTRIES_WAITING_MAX,
  ENTRY_BYTES_MAX,
  hashLine,
  NO_HASH,
  TEXT_CHARACTERS_MAX,
  verifyAudit,
} from "./mod.ts";
import { listSegments, readSegment } from "./segments.ts";

Deno.test("hashLine() is SHA-256 of the line's bytes", () => {
  assertEquals(hashLine("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

Deno.test("AuditLog.append() chains entries, each naming the line before", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock(Date.UTC(2026, 0, 2));
    using audit = AuditLog.open(folder, { clock });
    const first = await audit.append(sampleFact(1));
    clock.advance(1500);
    await Promise.all([2, 3, 4].map((number) => audit.append(sampleFact(number))));
    assertEquals([first.sequence, first.time, first.previous], [
      1,
      "2026-01-02T00:00:00.000Z",
      NO_HASH,
    ]);
    const { lines } = readSegment(listSegments(folder)[0]?.path ?? "");
    assertEquals(lines.map((line) => JSON.parse(line).previous), [
      NO_HASH,
      ...lines.slice(0, 3).map(hashLine),
    ]);
    assertEquals(audit.head, { sequence: 4, hash: hashLine(lines[3] ?? "") });
    assertEquals(audit.verify(), { entries: 4, first: 1, head: audit.head });
  }));

Deno.test("AuditLog.open() goes on where it was, and only one process has it", () =>
  inFolder(async (folder) => {
    await writeLog(folder, { entries: 5 });
    using audit = AuditLog.open(folder);
    assertEquals(audit.head.sequence, 5);
    await audit.append(sampleFact(6));
    assertEquals(verifyAudit(folder).entries, 6);
    const { code } = assertThrows(() => AuditLog.open(folder), ImmuneError);
    assertEquals(code, "STATE_LOCKED");
  }));

Deno.test("AuditLog.open() cuts off an entry that was half-written, and says so", () =>
  inFolder(async (folder) => {
    await writeLog(folder, { entries: 2 });
    const path = listSegments(folder)[0]?.path ?? "";
    await Deno.writeTextFile(path, '{"sequence":3,"time":"20', { append: true });
    using audit = AuditLog.open(folder);
    const [entry] = audit.read({ limit: 1 }).entries;
    assertEquals([entry?.action, entry?.sequence, entry?.detail?.["tornBytes"]], [
      "audit.resume",
      3,
      24,
    ]);
    assertEquals(audit.verify().broken, undefined);
  }));

Deno.test("AuditLog keeps to its bound of segments, and an entry says what went", () =>
  inFolder(async (folder) => {
    const options = { ...SMALL, segmentsMax: 3 };
    for (let round = 0; round < 4; round++) await writeLog(folder, { ...options, entries: 10 });
    assert(listSegments(folder).length <= 3);
    const { broken, first, entries } = verifyAudit(folder);
    assertEquals(broken, undefined);
    assert(first > 1 && entries > 0);
    using audit = AuditLog.open(folder, options);
    const [prune] = audit.read({ limit: 1, action: "audit" }).entries;
    assertEquals([prune?.action, prune?.detail?.["through"]], ["audit.prune", first - 1]);
  }));

Deno.test("AuditLog.read() gives pages, newest first, by action and actor", () =>
  inFolder(async (folder) => {
    await writeLog(folder, { ...SMALL, entries: 20 });
    using audit = AuditLog.open(folder, SMALL);
    const seen: number[] = [];
    let before: number | null = Number.MAX_SAFE_INTEGER;
    while (before !== null) {
      const page: ReturnType<AuditLog["read"]> = audit.read({ limit: 7, before });
      seen.push(...page.entries.map(({ sequence }) => sequence));
      before = page.next;
    }
    assertEquals(seen, Array.from({ length: 20 }, (_, i) => 20 - i));
    const numbers = (query: { action?: string; actor?: string }): unknown[] =>
      audit.read({ limit: 100, ...query }).entries.map(({ detail }) => detail?.["number"]);
    assertEquals(numbers({ action: "agent" }).length, 10);
    assertEquals(numbers({ action: "agent.rev" }), []);
    assertEquals(numbers({ action: "rules.push", actor: "person-0" }), [15, 9, 3]);
    for (const limit of [0, 1.5, ENTRIES_PER_PAGE_MAX + 1]) {
      assertEquals(assertThrows(() => audit.read({ limit }), ImmuneError).code, "INPUT_MALFORMED");
    }
  }));

Deno.test("AuditLog.append() refuses when too many wait, and after its end", () =>
  inFolder(async (folder) => {
    const audit = AuditLog.open(folder);
    const asked = Array.from(
      { length: ENTRIES_WAITING_MAX + 1 },
      (_, i) => audit.append(sampleFact(i)),
    );
    const late = await assertRejects(() => asked.at(-1) ?? Promise.resolve(), ImmuneError);
    assertEquals([late.code, late.status], ["AUDIT_UNWRITABLE", 507]);
    await Promise.all(asked.slice(0, -1));
    assertEquals([audit.head.sequence, audit.refused], [ENTRIES_WAITING_MAX, 1]);
    audit[Symbol.dispose]();
    await assertRejects(() => audit.append(sampleFact(1)), ImmuneError, "it is closed");
  }));

Deno.test("encodeEntry() cuts what is too long and takes what is no text", () =>
  inFolder(async (folder) => {
    const long = "\u0000".repeat(TEXT_CHARACTERS_MAX * 2);
    const detail = Object.fromEntries(
      Array.from({ length: DETAIL_MEMBERS_MAX * 2 }, (_, i) => [`${i}${long}`, long]),
    );
    const fact = {
      actor: { kind: "person", id: long, name: long },
      action: long,
      object: `\ud800 ${"a".repeat(TEXT_CHARACTERS_MAX - 3)}\u{1f600}`,
      decision: "refused",
      detail,
    } as const;
    const line = encodeEntry({ ...fact, sequence: 1, time: long, previous: NO_HASH });
    assert(new TextEncoder().encode(line).length <= ENTRY_BYTES_MAX);
    using audit = AuditLog.open(folder);
    await audit.append(fact);
    assertEquals(audit.verify().broken, undefined);
    const [entry] = audit.read({ limit: 1 }).entries;
    assertEquals(entry?.action.length, TEXT_CHARACTERS_MAX);
    assertEquals(entry?.object?.isWellFormed(), true);
  }));
