import type { Command } from "commander";
import * as z from "zod";
import { readStanding } from "../../agent/guards/standing.ts";
import { statePaths } from "../../common/config/state_paths.ts";
import { type LogsFile, readLogsFile } from "../../agent/inlets/logs_file.ts";
import { ApiClient } from "../api.ts";
import { type LinkStateFile, readLinkState } from "../link_state.ts";
import { standingLines } from "../render/standing.ts";
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
    const standing = readStanding(statePaths(values.state.dir).agent);
    if (standing !== undefined && !values.output.json) {
      for (const line of standingLines(standing, values.agent)) print(line);
    }
    const logs = readLogsFile(statePaths(values.state.dir).logs);
    if (logs !== undefined && !values.output.json) print(logsText(logs));
    const answer = z.looseObject({}).parse(await new ApiClient(values).get("/api/v1/status"));
    const status = {
      ...answer,
      ...(link === undefined ? {} : { link }),
      ...(standing === undefined ? {} : { orders: standing }),
      ...(logs === undefined ? {} : { logs: { counts: logs.counts, logs: logs.logs } }),
    };
    if (values.output.json) return print(JSON.stringify(status));
    const { sensor, ...figures } = answer;
    print(table(leaves(figures), COLUMNS).trimEnd());
    printSensor(sensorSchema.safeParse(sensor).data);
  });
}

/** What the sensors counted: SEEN is the sum of the other columns; and what was refused. */
function printSensor(sensor: z.infer<typeof sensorSchema> | undefined): void {
  if (sensor === undefined) return;
  const { kinds, missed, tiers } = sensor;
  if (kinds.length > 0) print(`\n${table(kinds, SENSOR_COLUMNS).trimEnd()}`);
  for (const { program, count } of missed) {
    print(`Program ${visible(program)} did not run ${count} times: it ran on that CPU already`);
  }
  if (tiers.length > 0) print(`\n${table(tiers, TIER_COLUMNS).trimEnd()}`);
}

function linkLine({ state, reason, since }: LinkStateFile): string {
  const why = reason === undefined ? "" : `: ${visible(reason)}`;
  return `This host's link is ${state} since ${since}${why}`;
}

const count = z.number();
const kindSchema = z.object({
  kind: z.string(),
  seen: count,
  submitted: count,
  filtered: count,
  folded: count,
  ringFull: count,
  oversized: count,
  unreadable: count,
});
const tierSchema = z.object({
  tier: z.string(),
  hosts: count,
  judged: count,
  refused: count,
  monitored: count,
  capped: count,
  failed: count,
});
const sensorSchema = z.object({
  kinds: z.array(kindSchema),
  missed: z.array(z.object({ program: z.string(), count })),
  tiers: z.array(tierSchema).default([]),
});

type KindLine = z.infer<typeof kindSchema>;

type TierLine = z.infer<typeof tierSchema>;

/** HOSTS: on which it is in force. */
const TIER_COLUMNS = [
  { title: "TIER", value: ({ tier }: TierLine): string => visible(tier) },
  { title: "HOSTS", value: ({ hosts }: TierLine): string => String(hosts) },
  { title: "JUDGED", value: ({ judged }: TierLine): string => String(judged) },
  { title: "REFUSED", value: ({ refused }: TierLine): string => String(refused) },
  { title: "MONITORED", value: ({ monitored }: TierLine): string => String(monitored) },
  { title: "CAPPED", value: ({ capped }: TierLine): string => String(capped) },
  { title: "FAILED", value: ({ failed }: TierLine): string => String(failed) },
];

const SENSOR_COLUMNS = [
  { title: "KIND", value: ({ kind }: KindLine): string => visible(kind) },
  { title: "SEEN", value: ({ seen }: KindLine): string => String(seen) },
  { title: "SUBMITTED", value: ({ submitted }: KindLine): string => String(submitted) },
  { title: "FILTERED", value: ({ filtered }: KindLine): string => String(filtered) },
  { title: "FOLDED", value: ({ folded }: KindLine): string => String(folded) },
  { title: "RING FULL", value: ({ ringFull }: KindLine): string => String(ringFull) },
  { title: "OVERSIZED", value: ({ oversized }: KindLine): string => String(oversized) },
  { title: "UNREADABLE", value: ({ unreadable }: KindLine): string => String(unreadable) },
];

/** A line about what came of this host's logs, and one for each log. */
function logsText({ counts, logs }: LogsFile): string {
  const told = Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");
  const lines = logs.map(({ path, open, gaps, skippedBytes, tooLong }) => {
    const lost = `${gaps} gaps, ${skippedBytes} bytes skipped, ${tooLong} lines too long`;
    return `  ${visible(path)}: ${open ? `followed, ${lost}` : "not there"}`;
  });
  return [`This host's logs: ${told}`, ...lines].join("\n");
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
