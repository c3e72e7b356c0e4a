import {
  AuditLog,
  type AuditReport,
  headText,
  parseHead,
  verifyAudit,
} from "../../common/audit/mod.ts";
import { type Attack, attackTable } from "./table.ts";

/** A log on the disk, and the head that was noted elsewhere. */
interface Target {
  readonly folder: string;
  readonly path: string;
  readonly noted: string;
}

const ENTRIES = 8;

async function onLog(attack: (target: Target) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir();
  const folder = `${parent}/audit`;
  const noted = await write(folder, "ada");
  const name = [...Deno.readDirSync(folder)].find((each) => each.name.endsWith(".ndjson"))?.name;
  await attack({ folder, path: `${folder}/${name}`, noted });
  await Deno.remove(parent, { recursive: true });
}

async function write(folder: string, name: string): Promise<string> {
  using audit = AuditLog.open(folder);
  for (let i = 1; i <= ENTRIES; i++) {
    const actor = { kind: "person", id: name, name } as const;
    await audit.append({
      actor,
      action: "agent.revoke",
      object: `agent ${i}`,
      decision: "allowed",
    });
  }
  return headText(audit.head);
}

function said({ broken }: AuditReport): string {
  return broken === undefined ? "whole" : broken.why;
}

/** Rewrites the log's lines as an attacker who can write them, and checks it. */
async function rewritten(
  { folder, path }: Target,
  change: (lines: string[]) => readonly string[],
): Promise<string> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  await Deno.writeTextFile(path, change(lines).map((line) => `${line}\n`).join(""));
  return said(verifyAudit(folder));
}

const ROWS: readonly Attack<Target>[] = [
  {
    tries: "another name is put into an entry",
    refused: "Entry 3 was changed, or entry 4 put behind it",
    attempt: (target) =>
      rewritten(target, (lines) => lines.with(2, lines[2]?.replace('"ada"', '"eve"') ?? "")),
  },
  {
    tries: "an entry is taken out",
    refused: "Entry 4 is missing before entry 5",
    attempt: (target) => rewritten(target, (lines) => lines.toSpliced(3, 1)),
  },
  {
    tries: "an entry is taken out and the rest counted anew",
    refused: "Entry 3 was changed, or entry 4 put behind it",
    attempt: (target) =>
      rewritten(
        target,
        (lines) =>
          lines.toSpliced(3, 1).map((line, i) =>
            line.replace(/"sequence":\d+/, `"sequence":${i + 1}`)
          ),
      ),
  },
  {
    tries: "two entries change places",
    refused: "Entry 3 is missing before entry 4",
    attempt: (target) =>
      rewritten(target, (lines) => lines.with(2, lines[3] ?? "").with(3, lines[2] ?? "")),
  },
  {
    tries: "an entry is put in a second time",
    refused: "Entry 2 stands again or elsewhere",
    attempt: (target) => rewritten(target, (lines) => lines.toSpliced(2, 0, lines[1] ?? "")),
  },
  {
    tries: "the last entries are cut off",
    refused: `The log ends at entry 6, the file "head" knows 8`,
    attempt: (target) => rewritten(target, (lines) => lines.slice(0, 6)),
  },
  {
    tries: "the first entries are cut off",
    refused: /No entry says|does not fit/,
    attempt: (target) => rewritten(target, (lines) => lines.slice(2)),
  },
  {
    tries: "the last entry is cut in half, as a crash would",
    refused: `The log ends at entry 7, the file "head" knows 8`,
    attempt: async ({ folder, path }) => {
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.slice(0, -20));
      return said(verifyAudit(folder));
    },
  },
  {
    tries: "the log is cut off, and then the hive starts again",
    refused: "Entries 7 to 8 are missing before entry 9",
    attempt: async (target) => {
      await rewritten(target, (lines) => lines.slice(0, 6));
      await write(target.folder, "ada");
      return said(verifyAudit(target.folder));
    },
  },
  {
    tries: "all files are removed, and then the hive starts again",
    refused: /No entry says/,
    attempt: async ({ folder, path }) => {
      await Deno.remove(path);
      await write(folder, "ada");
      return said(verifyAudit(folder));
    },
  },
  {
    tries: "the log is written anew as a whole, its head too",
    refused: "Entry 8 is not the one that the noted head knows",
    attempt: async ({ folder, noted: text }) => {
      await Deno.remove(folder, { recursive: true });
      await write(folder, "eve");
      const noted = parseHead(text);
      return said(verifyAudit(folder, noted === undefined ? {} : { noted }));
    },
  },
];

attackTable({ subject: "the audit log", against: onLog }, ROWS);
