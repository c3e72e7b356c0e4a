import type { Command } from "commander";
import { runAgent } from "../agent_run.ts";
import { visible } from "../render/terminal.ts";
import { enrolledIdentity } from "../delivery.ts";
import { reloadedLine } from "../sensor_run.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print, tell } from "../output.ts";
import { addAgentCapabilities } from "./agent_capabilities.ts";
import { addAgentRelease } from "./agent_release.ts";

/** `immune agent` */
export function addAgent(program: Command): void {
  const command = program.command("agent")
    .description("watch this host and deliver to the hive that it is enrolled with")
    .option("--json", "say on one line, as one object, when it watches");
  addAgentCapabilities(command);
  addAgentRelease(command);
  addSettings(command).action(async (options: { readonly json?: boolean }) => {
    const { values } = settingsOf(command);
    const identity = enrolledIdentity(values.state.dir);
    const warn = (message: string): void => tell(`agent: ${visible(message)}`);
    const ready = (sensor: string): void => {
      if (options.json) print(JSON.stringify({ type: "agent", sensor }));
      else print(`Watching for ${identity.agents}: ${sensor}. Ctrl-C stops.`);
    };
    const counters = await runAgent(values, {
      journal: true,
      rules: true,
      onReady: ({ rules, tiers }) => {
        for (const line of rules?.rejected ?? []) warn(line);
        const mode = tiers.length === 0 ? "monitor only" : `enforcing by ${tiers.join(", ")}`;
        ready(`eBPF, ${rules?.rules.length ?? 0} rules, ${mode}`);
      },
      onStopped: () => ready("off: the kill switch was used, and nobody has lifted it"),
      onWarning: warn,
      onReloaded: (reloaded) => tell(`agent: ${reloadedLine(reloaded)}`),
    });
    if (counters === undefined) return tell("agent: stopped: the sensor never ran");
    const { alerts, journaled, lost } = counters;
    tell(`agent: stopped: ${alerts} alerts, ${journaled} journaled, ${lost} lost`);
  });
}
