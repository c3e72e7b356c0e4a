import { type Command, InvalidArgumentError } from "commander";
import { resolve } from "node:path";
import * as z from "zod";
import {
  type AuditEntry,
  type AuditHead,
  type AuditReport,
  ENTRIES_PER_PAGE_MAX,
  headText,
  parseHead,
  verifyAudit,
} from "../../common/audit/mod.ts";
import { AUDIT_FOLDER, HIVE_FOLDER } from "../../hive/folder.ts";
import { ApiClient } from "../api.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print, tell } from "../output.ts";

/** Entries that a call shows when it does not say. */
const ENTRIES_SHOWN = 50;

interface ListOptions {
  readonly limit: number;
  readonly action?: string;
  readonly actor?: string;
}

/** `immune audit` */
export function addAudit(program: Command, exit: (code: number) => void): void {
  const audit = program.command("audit").description("who decided what on the hive");
  addList(audit);
  addVerify(audit, exit);
}

function addList(audit: Command): void {
  const list = audit.command("list")
    .description("show decisions, newest first")
    .option("--limit <count>", "at most this many", parseCount, ENTRIES_SHOWN)
    .option("--action <name>", "only this action, or what stands before its first dot: user")
    .option("--actor <who>", "only those of this person or program")
    .option("--json", "print one JSON object a decision");
  addSettings(list).action(async ({ limit, action, actor }: ListOptions) => {
    const { values } = settingsOf(list);
    const query = new URLSearchParams({
      limit: String(limit),
      ...(action === undefined ? {} : { action }),
      ...(actor === undefined ? {} : { actor }),
    });
    const answer = await new ApiClient(values).get(`/api/v1/audit?${query}`);
    const page = z.object({ entries: z.array(z.unknown()), next: z.number().nullable() });
    const { entries, next } = page.parse(answer);
    // The hive answers with what common/audit wrote.
    const found = entries as readonly AuditEntry[];
    if (values.output.json) { for (const entry of found) print(JSON.stringify(entry)); }
    else print(table(found, COLUMNS).trimEnd());
    if (next !== null) tell("There are more; ask for them with --limit");
  });
}

function addVerify(audit: Command, exit: (code: number) => void): void {
  const verify = audit.command("verify")
    .description("check the log's files, with the hive running or not; 1 = it was touched")
    .option("--log <folder>", "the log's folder; default: that of the state folder", resolveGiven)
    .option("--head <head>", "a head that was noted earlier: the log has to hold it", readHead)
    .option("--json", "print one JSON object");
  addSettings(verify).action(
    (options: { readonly log?: string; readonly head?: AuditHead }) => {
      const { values } = settingsOf(verify);
      const folder = options.log ?? `${values.state.dir}/${HIVE_FOLDER}/${AUDIT_FOLDER}`;
      const noted = options.head === undefined ? {} : { noted: options.head };
      const report = verifyAudit(folder, noted);
      if (values.output.json) print(JSON.stringify({ folder, ...report }));
      else for (const line of described(folder, report)) print(line);
      if (report.broken !== undefined) exit(1);
    },
  );
}

function described(folder: string, { entries, first, head, broken }: AuditReport): string[] {
  const lines = entries === 0
    ? [`No entry in ${visible(folder)}`]
    : [`${entries} entries hang together, ${first} to ${head.sequence}`, `Head ${headText(head)}`];
  if (broken === undefined) return lines;
  const where = broken.line === 0 ? "" : `, line ${broken.line}`;
  return [...lines, `BROKEN: ${broken.why} (${visible(broken.path)}${where})`];
}

const COLUMNS = [
  { title: "NUMBER", value: (entry: AuditEntry): string => String(entry.sequence) },
  { title: "TIME", value: (entry: AuditEntry): string => visible(entry.time) },
  { title: "WHO", value: ({ actor }: AuditEntry): string => visible(actor.name ?? actor.id) },
  { title: "DECISION", value: (entry: AuditEntry): string => entry.decision },
  { title: "ACTION", value: (entry: AuditEntry): string => visible(entry.action) },
  { title: "OF", value: (entry: AuditEntry): string => visible(entry.object ?? "") },
  { title: "DETAIL", value: detailOf },
];

function detailOf({ detail = {} }: AuditEntry): string {
  return visible(Object.entries(detail).map(([name, value]) => `${name}=${value}`).join(" "));
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= ENTRIES_PER_PAGE_MAX) return count;
  throw new InvalidArgumentError(`Use a number from 1 to ${ENTRIES_PER_PAGE_MAX}.`);
}

function readHead(text: string): AuditHead {
  const head = parseHead(text);
  if (head === undefined) throw new InvalidArgumentError("Use what verify printed as head.");
  return head;
}

function resolveGiven(text: string): string {
  return resolve(text);
}
