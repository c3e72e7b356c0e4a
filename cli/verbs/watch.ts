import type { Command } from "commander";
import type { PipelineCounters } from "../../agent/pipeline/messages.ts";
import { type Config, ImmuneError } from "../../common/config/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { OutputQueue, tell } from "../output.ts";
import { renderAlert } from "../render/alert.ts";
import { type Painter, painter, visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { reloadedLine, runSensor } from "../sensor_run.ts";

/** `immune watch` */
export function addWatch(program: Command): void {
  const command = program.command("watch")
    .description("watch this host: alerts to the terminal and to the journal")
    .option("--json", "print one JSON object an alert");
  addSettings(command).action(async () => {
    const settings = settingsOf(command);
    const { values } = settings;
    const terminal = new AlertPrinter(values.output);
    const counters = await runSensor(settings, {
      journal: true,
      rules: true,
      onReady: ({ rules, indicators, note }) => {
        for (const rejection of rules?.rejected ?? []) tell(visible(rejection));
        tell(
          `Watching with ${rules?.rules.length ?? 0} rules${
            indicators === 0 ? "" : ` and ${indicators} indicators`
          }; ${note} in ${values.state.dir}. Ctrl-C stops.`,
        );
      },
      onAlerts: (alerts) => terminal.print(alerts),
      onWarning: (message) => tell(`immune: ${visible(message)}`),
      onReloaded: (reloaded) => tell(reloadedLine(reloaded)),
    });
    await terminal.settle();
    tell(summary(counters));
  });
}

/** Alerts on standard output; where that ends, the journal keeps them and the watch goes on. */
class AlertPrinter {
  readonly #output = new OutputQueue();
  readonly #json: boolean;
  readonly #paint: Painter;
  #ended = false;

  constructor({ json, color }: Config["output"]) {
    this.#json = json;
    const terminal = color === "always" || (color === "auto" && Deno.stdout.isTerminal());
    this.#paint = painter({
      terminal,
      noColor: color === "auto" ? Deno.env.get("NO_COLOR") : undefined,
    });
  }

  /** Settled when they are shown, or cannot be. */
  async print(alerts: readonly Alert[]): Promise<void> {
    if (this.#ended) return;
    const lines = alerts.map((alert) =>
      this.#json ? JSON.stringify(alert) : renderAlert(alert, this.#paint).trimEnd()
    );
    try {
      await this.#output.write(lines.join("\n"));
    } catch (error) {
      if (this.#ended) return;
      this.#ended = true;
      const why = error instanceof ImmuneError ? error.message : "Standard output is closed";
      tell(`immune: ${visible(why)}; the watch goes on and the journal keeps the alerts`);
    }
  }

  settle(): Promise<void> {
    return this.#output.settle();
  }
}

function summary(counters: PipelineCounters): string {
  const { records, alerts, alertsDropped, journaled, lost, masked } = counters;
  const hidden = alertsDropped === 0 ? "" : ` (${alertsDropped} not shown: slow reader)`;
  return `Stopped: ${records} records, ${alerts} alerts${hidden}, ${journaled} journaled, ` +
    `${masked} masked, ${lost} lost`;
}
