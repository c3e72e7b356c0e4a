import { type Command, InvalidArgumentError } from "commander";
import { print } from "../output.ts";
import {
  type CapabilityRow,
  checkHost,
  type Finding,
  findingLine,
  hostFacts,
  portOwner,
  tryCapabilities,
} from "../../agent/sensors/mod.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf, tellUnknownVariables } from "../settings.ts";

/** `immune doctor` */
export function addDoctor(program: Command, exit: (code: number) => void): void {
  const command = program.command("doctor")
    .description("say what this host can do, what is missing, and the remedy")
    .option("--json", "print one JSON object")
    .option("--port <number>", "say who listens on this TCP port instead", parsePort)
    .addHelpText("after", "\nExit code 1 when the sensor cannot run here.");
  addSettings(command).action((options: { readonly port?: number }) => {
    const loaded = settingsOf(command, { names: true });
    const { values: { sensor: { btf }, output: { json } }, unknownVariables } = loaded;
    if (options.port !== undefined) {
      exit(tellOwner(options.port, { json }));
      return;
    }
    const facts = hostFacts({ btf });
    const findings = checkHost(facts);
    const able = !findings.some((finding) => finding.fatal);
    const trials = able ? tried(btf) : [];
    if (json) {
      print(JSON.stringify({ able, facts, findings, capabilities: trials, unknownVariables }));
    } else {
      report(findings, trials);
      tellUnknownVariables(loaded);
    }
    if (!able || trials.some((row) => row.capability === "exec" && row.state !== "works")) exit(1);
  });
}

/** Each capability, tried; an error of the trial itself is its only row. */
function tried(btf: string): readonly CapabilityRow[] {
  try {
    return tryCapabilities({ btf });
  } catch (error) {
    if (!(error instanceof ImmuneError)) throw error;
    return [{ capability: "exec", state: "refused", error: 0, reason: error.message }];
  }
}

function report(findings: readonly Finding[], trials: readonly CapabilityRow[]): void {
  for (const finding of findings) print(visible(findingLine(finding)));
  if (trials.length === 0) return;
  print(
    table(trials, [
      { title: "CAPABILITY", value: (row) => row.capability },
      { title: "STATE", value: (row) => row.state },
      { title: "REASON", value: (row) => visible(row.reason) },
    ]).trimEnd(),
  );
}

/** Says who listens on a port; exit code 1 when nobody does that can be seen. */
function tellOwner(port: number, { json }: { readonly json: boolean }): number {
  const owner = portOwner(port);
  if (json) print(JSON.stringify({ port, pid: owner?.pid ?? null, name: owner?.name ?? null }));
  else if (owner !== undefined) print(`${visible(owner.name)} (pid ${owner.pid})`);
  return owner === undefined ? 1 : 0;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("Use a number from 1 to 65535.");
}
