import type { Command } from "commander";
import * as z from "zod";
import { readStanding } from "../../agent/guards/standing.ts";
import { statePaths } from "../../common/config/state_paths.ts";
import { readSensorFile } from "../../agent/pipeline/sensor_file.ts";
import { type LogsFile, readLogsFile } from "../../agent/inlets/logs_file.ts";
import { ApiClient } from "../api.ts";
import { type LinkStateFile, readLinkState } from "../link_state.ts";
import { hostSensorLines, sensorTexts } from "../render/sensor.ts";
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
    const counted = readSensorFile(statePaths(values.state.dir).sensor);
    if (counted !== undefined && !values.output.json) {
      for (const line of hostSensorLines(counted)) print(line);
    }
    const logs = readLogsFile(statePaths(values.state.dir).logs);
    if (logs !== undefined && !values.output.json) print(logsText(logs));
    const answer = z.looseObject({}).parse(await new ApiClient(values).get("/api/v1/status"));
    const status = {
      ...answer,
      ...(link === undefined ? {} : { link }),
      ...(standing === undefined ? {} : { orders: standing }),
      ...(counted === undefined ? {} : { hostSensor: counted }),
      ...(logs === undefined ? {} : { logs: { counts: logs.counts, logs: logs.logs } }),
    };
    if (values.output.json) return print(JSON.stringify(status));
    const { sensor, ...figures } = answer;
    print(table(leaves(figures), COLUMNS).trimEnd());
    for (const text of sensorTexts(sensor)) print(text);
  });
}

function linkLine({ state, reason, since }: LinkStateFile): string {
  const why = reason === undefined ? "" : `: ${visible(reason)}`;
  return `This host's link is ${state} since ${since}${why}`;
}

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
