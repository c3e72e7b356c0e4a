import { type Command, Option } from "commander";
import * as z from "zod";
import { ANTIBODY_ACTIONS, ANTIBODY_TYPES } from "../../common/herd/antibody.ts";
import { type ActReader, addActJson, printAct, printAnswered } from "../acts.ts";
import { ApiClient } from "../api.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print } from "../output.ts";
import { addGenesis } from "./herd_genesis.ts";
import { addWords } from "./herd_words.ts";
import { parseHours } from "./hours.ts";

const PATH = "/api/v1/herd";

const antibodySchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  value: z.string(),
  action: z.string(),
  stage: z.string(),
  expiresAt: z.string(),
  supporters: z.number(),
  quorum: z.number(),
  why: z.string(),
});
const standingSchema = z.looseObject({
  agentId: z.string(),
  hostName: z.string(),
  trust: z.number(),
  vouchers: z.number(),
  state: z.string(),
  counts: z.boolean(),
});
type AntibodyLine = z.infer<typeof antibodySchema>;
type StandingLine = z.infer<typeof standingSchema>;

/** `immune herd` */
export function addHerd(program: Command): void {
  const herd = program.command("herd")
    .description("what hosts share: antibodies, and whose word counts");
  addLists(herd);
  addMake(herd);
  addActs(herd);
  addAgentActs(herd);
  addGenesis(herd);
  addWords(herd);
}

function addLists(herd: Command): void {
  const list = herd.command("list").description("show all antibodies and where they are")
    .option("--json", "print one JSON object an antibody");
  addSettings(list).action(async () => {
    const { values } = settingsOf(list);
    const answer = await new ApiClient(values).get(`${PATH}/antibodies`);
    const { antibodies } = z.object({ antibodies: z.array(antibodySchema) }).parse(answer);
    show(antibodies, { json: values.output.json, columns: ANTIBODY_COLUMNS });
  });
  const agents = herd.command("agents").description("show whose word counts, and why")
    .option("--json", "print one JSON object an agent");
  addSettings(agents).action(async () => {
    const { values } = settingsOf(agents);
    const answer = await new ApiClient(values).get(`${PATH}/agents`);
    const { agents: standings } = z.object({ agents: z.array(standingSchema) }).parse(answer);
    show(standings, { json: values.output.json, columns: STANDING_COLUMNS });
  });
}

function addMake(herd: Command): void {
  const add = herd.command("add")
    .description("make an antibody of an alert; the canary hosts get it first")
    .argument("<alert>", "id of the alert that shows it")
    .addOption(
      new Option("--type <type>", "what it is of").choices(ANTIBODY_TYPES).makeOptionMandatory(),
    )
    .requiredOption("--value <value>", "hash, path, domain, address, port or text of a rule")
    .addOption(
      new Option("--action <action>", "what happens on a match").choices(ANTIBODY_ACTIONS)
        .default("watch"),
    )
    .option("--reason <text>", "why, for people", "")
    .option("--confirmed", "its matches are right, whatever hosts do all day", false)
    .option("--hours <count>", "how long it holds, 1 to 720", parseHours, 24);
  addSettings(addActJson(add)).action(async (alert: string, options: Record<string, unknown>) => {
    const { type, value, action, reason, hours, confirmed } = options;
    const body = { type, value, action, reason, hours, confirmed, evidence: [alert] };
    const { values } = settingsOf(add);
    say(await new ApiClient(values).send("post", `${PATH}/antibodies`, { body }), values.output);
  });
}

function addActs(herd: Command): void {
  for (
    const [name, description] of [
      ["approve", "publish an antibody that agents propose; its detections are confirmed"],
      ["confirm", "say that the matches of an antibody are right: the brake is off"],
    ] as const
  ) {
    const command = herd.command(name).description(description).argument("<antibody>", "its id");
    addSettings(addActJson(command)).action(async (id: string) => {
      const { values } = settingsOf(command);
      const path = `${PATH}/antibodies/${encodeURIComponent(id)}/${name}`;
      say(await new ApiClient(values).send("post", path), values.output);
    });
  }
  const pull = herd.command("pull").description("pull an antibody back from all hosts")
    .argument("<antibody>", "its id")
    .requiredOption("--why <text>", "why, for people")
    .option("--false", "it hits what is harmless: who stood for it loses trust");
  addSettings(addActJson(pull)).action(async (
    id: string,
    options: { why: string; false?: boolean },
  ) => {
    const { values } = settingsOf(pull);
    const body = { why: options.why, isFalse: options.false ?? false };
    const path = `${PATH}/antibodies/${encodeURIComponent(id)}/pull`;
    say(await new ApiClient(values).send("post", path, { body }), values.output);
  });
  const verdict = herd.command("verdict").description("say what an alert was, once")
    .argument("<alert>", "its id")
    .addArgument(herd.createArgument("<verdict>", "what it was").choices(["true", "false"]));
  addSettings(addActJson(verdict)).action(async (id: string, word: string) => {
    const { values } = settingsOf(verdict);
    const isTrue = word === "true";
    const path = `/api/v1/alerts/${encodeURIComponent(id)}/verdict`;
    await new ApiClient(values).send("post", path, { body: { isTrue } });
    printAct({ did: { alert: id, isTrue }, text: `${visible(id)} is judged` }, values.output);
  });
}

function addAgentActs(herd: Command): void {
  for (
    const [name, description] of [
      ["suspect", "take an agent's vote and report from it, until it is cleared"],
      ["clear", "clear a suspect"],
      ["blacklist", "revoke an agent for good, and take back what it vouched for"],
    ] as const
  ) {
    const command = herd.command(name).description(description)
      .argument("<agent>", "its id, as agents shows it");
    addSettings(addActJson(command)).action(async (id: string) => {
      const { values } = settingsOf(command);
      const path = `${PATH}/agents/${encodeURIComponent(id)}/${name}`;
      printAnswered(await new ApiClient(values).send("post", path), {
        json: values.output.json,
        act: (answer) => {
          const { agentId, state } = standingSchema.parse(answer);
          return {
            did: { agentId, state },
            text: `${visible(agentId)} is now "${visible(state)}"`,
          };
        },
      });
    });
  }
}

function say(answer: unknown, reader: ActReader): void {
  const { id, stage } = antibodySchema.parse(answer);
  printAct({ did: { id, stage }, text: `${visible(id)} is now "${visible(stage)}"` }, reader);
}

function show<T>(
  rows: readonly T[],
  { json, columns }: {
    readonly json: boolean;
    readonly columns: readonly { readonly title: string; readonly value: (row: T) => string }[];
  },
): void {
  if (json) { for (const row of rows) print(JSON.stringify(row)); }
  else print(table(rows, columns).trimEnd());
}

const ANTIBODY_COLUMNS = [
  { title: "ANTIBODY", value: ({ id }: AntibodyLine): string => visible(id) },
  { title: "STAGE", value: ({ stage }: AntibodyLine): string => visible(stage) },
  { title: "ACTION", value: ({ action }: AntibodyLine): string => visible(action) },
  { title: "TYPE", value: ({ type }: AntibodyLine): string => visible(type) },
  {
    title: "VALUE",
    value: ({ type, value }: AntibodyLine): string =>
      visible(type === "rule" ? `${value.trim().split("\n")[0]} ...` : value),
  },
  {
    title: "VOTES",
    value: ({ supporters, quorum }: AntibodyLine): string => `${supporters} of ${quorum}`,
  },
  { title: "EXPIRES", value: ({ expiresAt }: AntibodyLine): string => visible(expiresAt) },
  { title: "WHY", value: ({ why }: AntibodyLine): string => visible(why) },
];

const STANDING_COLUMNS = [
  { title: "AGENT", value: ({ agentId }: StandingLine): string => visible(agentId) },
  { title: "HOST", value: ({ hostName }: StandingLine): string => visible(hostName) },
  { title: "STATE", value: ({ state }: StandingLine): string => visible(state) },
  { title: "TRUST", value: ({ trust }: StandingLine): string => trust.toFixed(3) },
  { title: "VOUCHERS", value: ({ vouchers }: StandingLine): string => String(vouchers) },
  { title: "COUNTS", value: ({ counts }: StandingLine): string => counts ? "yes" : "no" },
];
