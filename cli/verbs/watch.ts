import type { Command } from "commander";
import type { PipelineCounters } from "../../agent/pipeline/messages.ts";
import { describeRejection } from "../../common/sigma/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { renderAlert } from "../render/alert.ts";
import { type Painter, painter, visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { runSensor } from "../sensor_run.ts";

/** `immune watch` */
export function addWatch(program: Command): void {
  const command = program.command("watch")
    .description("watch this host: alerts to the terminal and to the journal")
    .option("--json", "print one JSON object an alert");
  addSettings(command).action(async (options: { readonly json?: boolean }) => {
    const paint = painter({
      terminal: Deno.stdout.isTerminal(),
      noColor: Deno.env.get("NO_COLOR"),
    });
    const settings = settingsOf(command);
    const counters = await runSensor(settings, {
      journal: true,
      rules: true,
      onReady: ({ ruleSet, note }) => {
        for (const rejection of ruleSet.rejected) {
          console.error(visible(describeRejection(rejection)));
        }
        console.error(
          `Watching with ${ruleSet.rules.length} rules; ${note} in ${settings.values.state.dir}. Ctrl-C stops.`,
        );
      },
      onAlert: (alert) => print(alert, { json: options.json ?? false, paint }),
      onWarning: (message) => console.error(`immune: ${visible(message)}`),
    });
    console.error(summary(counters));
  });
}

function print(alert: Alert, options: { readonly json: boolean; readonly paint: Painter }): void {
  if (options.json) console.log(JSON.stringify(alert));
  else console.log(renderAlert(alert, options.paint).trimEnd());
}

function summary(counters: PipelineCounters): string {
  const { records, alerts, journaled, lost, masked } = counters;
  return `Stopped: ${records} records, ${alerts} alerts, ${journaled} journaled, ` +
    `${masked} masked, ${lost} lost`;
}
