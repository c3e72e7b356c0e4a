import { type Command, InvalidArgumentError } from "commander";
import * as z from "zod";
import { type Alert, alertSchema } from "../../common/wire/alert.ts";
import { ApiClient } from "../api.ts";
import { renderAlert } from "../render/alert.ts";
import { painter } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print, tell } from "../output.ts";

const PAGE_SIZE = 500;
/** Most alerts that one call shows. */
const ALERTS_MAX = 100_000;

const pageSchema = z.object({
  alerts: z.array(alertSchema),
  next: z.string().nullable().optional(),
});

interface AlertsOptions {
  readonly last: string;
}

/** `immune alerts`, also `immune threats` */
export function addAlerts(program: Command): void {
  const command = program.command("alerts").alias("threats")
    .description("show the alerts that the hive has, newest first")
    .option("--json", "print one JSON object an alert")
    .option("--last <time>", "how far back: 90s, 30m, 24h, 7d", parseLast, "24h");
  addSettings(command).action(async (options: AlertsOptions) => {
    const { values } = settingsOf(command);
    const { json } = values.output;
    const api = new ApiClient(values);
    const paint = painter({
      terminal: Deno.stdout.isTerminal(),
      noColor: Deno.env.get("NO_COLOR"),
    });
    let shown = 0;
    for await (const alert of pages(api, options.last)) {
      if (shown === ALERTS_MAX) {
        tell(`immune: There are more than ${ALERTS_MAX} alerts; ask for less with --last`);
        break;
      }
      shown++;
      print(json ? JSON.stringify(alert) : renderAlert(alert, paint).trimEnd());
    }
    if (!json) print(`${shown} alerts in the last ${options.last}`);
  });
}

async function* pages(api: ApiClient, last: string): AsyncGenerator<Alert> {
  let next: string | null | undefined;
  do {
    const query = new URLSearchParams({ last, limit: String(PAGE_SIZE) });
    if (next) query.set("before", next);
    const page = pageSchema.parse(await api.get(`/api/v1/alerts?${query}`));
    yield* page.alerts as unknown as readonly Alert[];
    next = page.next;
  } while (next);
}

function parseLast(text: string): string {
  if (!/^[1-9]\d{0,5}[smhd]$/.test(text)) {
    throw new InvalidArgumentError("Use a number with s, m, h or d, such as 24h.");
  }
  return text;
}
