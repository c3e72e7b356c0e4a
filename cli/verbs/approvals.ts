import type { Command } from "commander";
import * as z from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import { addActJson, printAct } from "../acts.ts";
import { ApiClient } from "../api.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print } from "../output.ts";

const approvalSchema = z.looseObject({
  id: z.string(),
  action: z.string(),
  object: z.string(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  reason: z.string(),
  askedBy: z.looseObject({ name: z.string() }),
  expiresAt: z.string(),
  missing: z.number(),
  state: z.string(),
  outcome: z.string().nullable(),
});
type Approval = z.infer<typeof approvalSchema>;

const PATH = "/api/v1/approvals";

/** `immune approvals` */
export function addApprovals(program: Command, exit: (code: number) => void): void {
  const approvals = program.command("approvals").description("acts that take two people");
  addList(approvals);
  addShow(approvals);
  for (const decision of ["approve", "deny"] as const) addDecision(approvals, { decision, exit });
}

function addList(approvals: Command): void {
  const list = approvals.command("list")
    .description("show what waits for another person")
    .option("--all", "those that were decided or expired too")
    .option("--json", "print one JSON object a request");
  addSettings(list).action(async (options: { readonly all?: boolean }) => {
    const { values } = settingsOf(list);
    const answer = await new ApiClient(values).get(PATH);
    const { approvals: all } = z.object({ approvals: z.array(approvalSchema) }).parse(answer);
    const found = all.filter(({ state }) => options.all === true || state === "open");
    if (values.output.json) { for (const approval of found) print(JSON.stringify(approval)); }
    else print(table(found, COLUMNS).trimEnd());
  });
}

function addShow(approvals: Command): void {
  const command = approvals.command("show")
    .description("show all that a request says: read it before you stand behind it")
    .argument("<id>", "its id, as list shows it")
    .option("--json", "print one JSON object");
  addSettings(command).action(async (id: string) => {
    const { values } = settingsOf(command);
    const answer = await new ApiClient(values).get(PATH);
    const { approvals: all } = z.object({ approvals: z.array(approvalSchema) }).parse(answer);
    const found = all.find((approval) => approval.id === id);
    if (found === undefined) {
      throw new ImmuneError("NOT_FOUND", `Cannot find request "${id}": see "approvals list"`);
    }
    if (values.output.json) return print(JSON.stringify(found));
    print(COLUMNS.map(({ title, value }) => `${title.padEnd(10)}${value(found)}`).join("\n"));
    if (found.reason !== "") print(`${"REASON".padEnd(10)}${visible(found.reason)}`);
    for (const [name, value] of Object.entries(found.detail)) {
      print(`${visible(name)}: ${visible(String(value))}`);
    }
  });
}

function addDecision(
  approvals: Command,
  { decision, exit }: {
    readonly decision: "approve" | "deny";
    readonly exit: (code: number) => void;
  },
): void {
  const command = approvals.command(decision)
    .description(
      decision === "approve"
        ? "stand behind a request of another person; it is then done"
        : "deny a request, or take back your own",
    )
    .argument("<id>", "its id, as list shows it")
    .addHelpText(
      "after",
      "\nApproving takes an account: name the file with a token of yours (--api-token-file).",
    );
  addSettings(addActJson(command)).action(async (id: string) => {
    const { values } = settingsOf(command);
    const path = `${PATH}/${encodeURIComponent(id)}/${decision}`;
    const answer = await new ApiClient(values).send("post", path);
    const { state, missing, outcome } = approvalSchema.parse(answer);
    const is = outcome === null ? ` is ${state}` : `: ${visible(outcome)}`;
    const waits = state === "open" ? `\nIt waits for ${missing} more` : "";
    const text = `${visible(id)}${is}${waits}`;
    printAct({ did: { id, state, missing, outcome }, text }, values.output);
    if (state === "failed") exit(1);
  });
}

const COLUMNS = [
  { title: "REQUEST", value: (approval: Approval): string => approval.id },
  { title: "STATE", value: (approval: Approval): string => approval.state },
  { title: "ASKED BY", value: ({ askedBy }: Approval): string => visible(askedBy.name) },
  { title: "MISSING", value: (approval: Approval): string => String(approval.missing) },
  { title: "UNTIL", value: (approval: Approval): string => approval.expiresAt },
  { title: "ACTION", value: (approval: Approval): string => visible(approval.action) },
  { title: "OF", value: (approval: Approval): string => visible(approval.object) },
];
