import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { inFolder, sampleFact, SMALL, writeLog } from "./_test_support.ts";
import { AuditLog, type AuditReport, headText, parseHead, verifyAudit } from "./mod.ts";
import { listSegments, readSegment } from "./segments.ts";

const ENTRIES = 12;

/** Runs a change on a good log of several segments, and checks it. */
async function afterChange(change: (lines: string[][]) => void): Promise<AuditReport> {
  let report: AuditReport | undefined;
  await inFolder(async (folder) => {
    await writeLog(folder, { ...SMALL, entries: ENTRIES });
    const segments = listSegments(folder);
    assert(segments.length > 2, "the log has several segments");
    const lines = segments.map(({ path }) => [...readSegment(path).lines]);
    change(lines);
    for (const [i, { path }] of segments.entries()) {
      const text = lines[i]?.map((line) => `${line}\n`).join("");
      if (text === undefined) Deno.removeSync(path);
      else Deno.writeTextFileSync(path, text);
    }
    report = verifyAudit(folder);
  });
  assert(report !== undefined);
  return report;
}

Deno.test("verifyAudit() names the entry that was changed", async () => {
  const { broken, entries } = await afterChange((lines) => {
    const [second] = lines;
    if (second?.[1] !== undefined) second[1] = second[1].replace("allowed", "refused");
  });
  assertEquals([entries, broken?.line, broken?.sequence], [2, 3, 3]);
  assertEquals(broken?.why, "Entry 2 was changed, or entry 3 put behind it");
});

Deno.test("verifyAudit() sees that the last entry was changed", async () => {
  const { broken } = await afterChange((lines) => {
    const last = lines.at(-1) ?? [];
    last.push((last.pop() ?? "").replace("because", "Because"));
  });
  assertEquals(broken?.why, `Entry ${ENTRIES} is not the one that the file "head" knows`);
});

Deno.test("verifyAudit() names entries that are missing, in the middle and at the end", async () => {
  const middle = await afterChange((lines) => void lines[1]?.shift());
  assert(middle.broken?.why.includes("missing before"), middle.broken?.why);
  const file = await afterChange((lines) => void delete lines[1]);
  assert(file.broken?.why.includes("are missing before"), file.broken?.why);
  const end = await afterChange((lines) => void lines.at(-1)?.pop());
  assertEquals(end.broken?.why, `The log ends at entry 11, the file "head" knows 12`);
  const start = await afterChange((lines) => void delete lines[0]);
  assertEquals(start.broken?.why, "No entry says that those before the oldest were removed");
});

Deno.test("verifyAudit() names entries that stand elsewhere, twice, or are none", async () => {
  const swapped = await afterChange(([lines]) => {
    if (lines !== undefined) [lines[0], lines[1]] = [lines[1] ?? "", lines[0] ?? ""];
  });
  assert(swapped.broken !== undefined && swapped.broken.line <= 2);
  const twice = await afterChange(([lines]) => void lines?.splice(1, 0, lines[0] ?? ""));
  assertEquals(twice.broken?.why, "Entry 1 stands again or elsewhere");
  const none = await afterChange(([lines]) => void lines?.splice(1, 0, "{}"));
  assertEquals([none.broken?.why, none.broken?.line], ["The line is no entry", 2]);
});

Deno.test("verifyAudit() finds any one byte that was changed", () =>
  inFolder(async (folder) => {
    await writeLog(folder, { ...SMALL, entries: ENTRIES });
    const segments = listSegments(folder);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, where, mask) => {
        const path = segments[which % segments.length]?.path ?? "";
        const good = Deno.readFileSync(path);
        const bad = good.slice();
        const at = where % bad.length;
        bad[at] = (bad[at] ?? 0) ^ mask;
        Deno.writeFileSync(path, bad);
        try {
          assert(verifyAudit(folder).broken !== undefined, `${path} byte ${at} xor ${mask}`);
        } finally {
          Deno.writeFileSync(path, good);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
    assertEquals(verifyAudit(folder).broken, undefined);
  }));

Deno.test("verifyAudit() holds a log that was written anew against a head that was noted", () =>
  inFolder(async (folder) => {
    await writeLog(folder, { entries: 4 });
    const noted = parseHead(headText(verifyAudit(folder).head));
    assert(noted !== undefined);
    await writeLog(folder, { entries: 2 });
    assertEquals(verifyAudit(folder, { noted }).broken, undefined);
    await Deno.remove(folder, { recursive: true });
    using audit = AuditLog.open(folder);
    for (let i = 0; i < 6; i++) await audit.append(sampleFact(100 + i));
    assertEquals(verifyAudit(folder).broken, undefined);
    const { broken } = verifyAudit(folder, { noted });
    assertEquals(broken?.why, "Entry 4 is not the one that the noted head knows");
  }));

Deno.test("AuditLog.open() of a log that was cut or emptied leaves a gap that stays", () =>
  inFolder(async (folder) => {
    for (const harm of ["cut", "damage", "empty", "remove"] as const) {
      await writeLog(folder, { entries: 6 });
      const path = listSegments(folder).at(-1)?.path ?? "";
      const { lines } = readSegment(path);
      const text = (kept: readonly string[]): string => kept.map((line) => `${line}\n`).join("");
      if (harm === "cut") await Deno.writeTextFile(path, text(lines.slice(0, 4)));
      if (harm === "damage") await Deno.writeTextFile(path, text([...lines.slice(0, 5), "{"]));
      if (harm === "empty") await Deno.writeTextFile(path, "");
      if (harm === "remove") await Deno.remove(path);
      await writeLog(folder, { entries: 2 });
      assert(verifyAudit(folder).broken !== undefined, harm);
      await Deno.remove(folder, { recursive: true });
    }
  }));

Deno.test("verifyAudit() of a folder without a log finds nothing wrong", () =>
  inFolder((folder) => {
    assertEquals(verifyAudit(folder), {
      entries: 0,
      first: 0,
      head: { sequence: 0, hash: "0".repeat(64) },
    });
  }));
