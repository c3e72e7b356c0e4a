import type { Command } from "commander";
import { visible } from "../render/terminal.ts";
import { enrolledIdentity } from "../delivery.ts";
import { reloadedLine, runSensor } from "../sensor_run.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print, tell } from "../output.ts";

/** `immune agent` */
export function addAgent(program: Command): void {
  const command = program.command("agent")
    .description("watch this host and deliver to the hive that it is enrolled with")
    .option("--json", "say on one line, as one object, when it watches");
  addSettings(command).action(async (options: { readonly json?: boolean }) => {
    const settings = settingsOf(command);
    const identity = enrolledIdentity(settings.values.state.dir);
    const warn = (message: string): void => tell(`agent: ${visible(message)}`);
    const { alerts, journaled, lost } = await runSensor(settings, {
      journal: true,
      rules: true,
      deliver: true,
      onReady: ({ rules }) => {
        for (const line of rules?.rejected ?? []) warn(line);
        const sensor = `eBPF, ${rules?.rules.length ?? 0} rules, monitor only`;
        if (options.json) print(JSON.stringify({ type: "agent", sensor }));
        else print(`Watching for ${identity.agents}: ${sensor}. Ctrl-C stops.`);
      },
      onWarning: warn,
      onReloaded: (reloaded) => tell(`agent: ${reloadedLine(reloaded)}`),
    });
    tell(`agent: stopped: ${alerts} alerts, ${journaled} journaled, ${lost} lost`);
  });
}
