import { type Command, InvalidArgumentError } from "commander";
import * as z from "zod";
import { ApiClient } from "../api.ts";
import { collect } from "../collect.ts";
import { print, tell } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";

const pendingSchema = z.object({
  enrolments: z.array(z.looseObject({
    id: z.string(),
    hostName: z.string(),
    tags: z.array(z.string()),
    keyHash: z.string(),
    askedAt: z.string(),
  })),
});
type PendingLine = z.infer<typeof pendingSchema>["enrolments"][number];

const tokenSchema = z.looseObject({ token: z.string(), id: z.string(), expiresAt: z.string() });

/**
 * Adds the verbs about who may join.
 *
 * @param agents The verb `agents`.
 */
export function addJoining(agents: Command): void {
  addToken(agents);
  addWithdraw(agents);
  addPending(agents);
  addDecision(agents, { name: "approve", approve: true, done: "Approved" });
  addDecision(agents, { name: "deny", approve: false, done: "Denied" });
}

interface TokenOptions {
  readonly uses?: number;
  readonly hours?: number;
  readonly tag: readonly string[];
  readonly hostId?: string;
  readonly hostName?: string;
  readonly approval?: boolean;
}

function addToken(agents: Command): void {
  const command = agents.command("token")
    .description("make an enrolment token; hand it over whole, it is a secret")
    .option("--uses <number>", "agents that it enrols (default: 1)", parseCount)
    .option("--hours <number>", "how long it holds (default: 1, at most 168)", parseCount)
    .option("--tag <word>", "word that its agents get; may be repeated", collect, [])
    .option("--host-id <hex>", "the only host that may use it, by its id")
    .option("--host-name <name>", "the only host that may use it, by its name")
    .option("--approval", "an operator has to approve each enrolment")
    .option("--json", "print one JSON object");
  addSettings(command).action(async (options: TokenOptions) => {
    const { values } = settingsOf(command);
    const { uses, hours, tag: tags, hostId, hostName, approval } = options;
    const asked = { uses, tags, hostId, hostName, approval };
    const body = hours === undefined ? asked : { ...asked, lifetimeMs: hours * 3_600_000 };
    const answer = await new ApiClient(values).send("post", "/api/v1/enroll-tokens", { body });
    const made = tokenSchema.parse(answer);
    if (values.output.json) return print(JSON.stringify(made));
    tell(`Good until ${made.expiresAt}; "immune agents withdraw ${made.id}" ends it`);
    print(made.token);
  });
}

function addWithdraw(agents: Command): void {
  const command = agents.command("withdraw <token-id>")
    .description("make an enrolment token worthless")
    .option("--json", "print one JSON object");
  addSettings(command).action(async (id: string) => {
    const { values } = settingsOf(command);
    const path = `/api/v1/enroll-tokens/${encodeURIComponent(id)}`;
    const answer = await new ApiClient(values).send("delete", path);
    print(values.output.json ? JSON.stringify(answer) : `Withdrawn ${visible(id)}`);
  });
}

function addPending(agents: Command): void {
  const command = agents.command("pending")
    .description("show enrolments that wait for an operator")
    .option("--json", "print one JSON object an enrolment")
    .addHelpText("after", "\nThe host shows the SHA-256 of its key too: they must be the same.");
  addSettings(command).action(async () => {
    const { values } = settingsOf(command);
    const found = pendingSchema.parse(await new ApiClient(values).get("/api/v1/enrolments"));
    const lines = values.output.json
      ? found.enrolments.map((each) => JSON.stringify(each))
      : [table(found.enrolments, COLUMNS).trimEnd()];
    for (const line of lines) print(line);
  });
}

function addDecision(
  agents: Command,
  { name, approve, done }: {
    readonly name: string;
    readonly approve: boolean;
    readonly done: string;
  },
): void {
  const command = agents.command(`${name} <id>`)
    .description(`${name} an enrolment that waits, by its id of "agents pending"`)
    .option("--json", "print one JSON object");
  addSettings(command).action(async (id: string) => {
    const { values } = settingsOf(command);
    const path = `/api/v1/enrolments/${encodeURIComponent(id)}`;
    const answer = await new ApiClient(values).send("post", path, { body: { approve } });
    print(values.output.json ? JSON.stringify(answer) : `${done} ${visible(id)}`);
  });
}

const COLUMNS = [
  { title: "ID", value: (each: PendingLine): string => each.id },
  { title: "HOST", value: (each: PendingLine): string => visible(each.hostName) },
  { title: "TAGS", value: (each: PendingLine): string => visible(each.tags.join(" ")) },
  { title: "ASKED", value: (each: PendingLine): string => each.askedAt },
  { title: "SHA-256 OF ITS KEY", value: (each: PendingLine): string => each.keyHash },
];

function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is no whole number from 1.");
}
