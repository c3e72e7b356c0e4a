import type { Command } from "commander";
import { z } from "zod";
import { statePaths } from "../../common/config/mod.ts";
import { ApiClient } from "../api.ts";
import { type LinkStateFile, readLinkState } from "../link_state.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print } from "../output.ts";

/** `immune status` */
export function addStatus(program: Command): void {
  const command = program.command("status")
    .description("show how the hive and its agents are")
    .option("--json", "print one JSON object");
  addSettings(command).action(async () => {
    const { values } = settingsOf(command);
    // Of this host's own agent, where there is one: it tells the more, the less the hive answers.
    const link = readLinkState(statePaths(values.state.dir).agent);
    if (link !== undefined && !values.output.json) print(linkLine(link));
    const answer = z.looseObject({}).parse(await new ApiClient(values).get("/api/v1/status"));
    const status = link === undefined ? answer : { ...answer, link };
    if (values.output.json) print(JSON.stringify(status));
    else print(table(leaves(answer), COLUMNS).trimEnd());
  });
}

function linkLine({ state, reason, since }: LinkStateFile): string {
  const why = reason === undefined ? "" : `: ${visible(reason)}`;
  return `This host's link is ${state} since ${since}${why}`;
}

interface Leaf {
  readonly name: string;
  readonly value: string;
}

const COLUMNS = [
  { title: "WHAT", value: (leaf: Leaf): string => visible(leaf.name) },
  { title: "VALUE", value: (leaf: Leaf): string => visible(leaf.value) },
];

/** The members of an answer, nested ones by their dotted name. */
function leaves(value: unknown, name = ""): Leaf[] {
  if (typeof value !== "object" || value === null) return [{ name, value: String(value) }];
  return Object.entries(value).flatMap(([key, member]) =>
    leaves(member, name === "" ? key : `${name}.${key}`)
  );
}
