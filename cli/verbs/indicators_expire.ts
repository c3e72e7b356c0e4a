import type { Command } from "commander";
import { ImmuneError } from "../../common/config/mod.ts";
import type { Indicator } from "../../common/indicators/mod.ts";
import { timespanOf } from "../indicators/options.ts";
import { openStore, RELOAD_HINT } from "../indicators/store.ts";
import { print, tell } from "../output.ts";
import { addStateSettings, settingsOf } from "../settings.ts";

const AFTER_HELP = `
Without a choice: what is over by its own expiry. With one: what all of the given choices name,
whatever its expiry. What is over is out of force in any case; this makes room and a shorter list.

Example: immune indicators expire --source our-feed --older 90d`;

interface ExpireOptions {
  readonly source?: string;
  readonly id?: string;
  readonly older?: number;
}

/** `immune indicators expire` */
export function addIndicatorsExpire(indicators: Command): void {
  const command = indicators.command("expire")
    .description("take indicators out: those that are over, or those that are chosen")
    .option("--source <name>", "those of a source")
    .option("--id <id>", "those with an id; needs --source")
    .option("--older <span>", "those that were listed last so long ago: 90d, 12h", timespanOf)
    .option("--json", "print the counts as one JSON object")
    .addHelpText("after", AFTER_HELP);
  addStateSettings(command).action(async (options: ExpireOptions) => {
    const { values } = settingsOf(command);
    const { source, id, older } = options;
    if (id !== undefined && source === undefined) {
      throw new ImmuneError(
        "USAGE",
        'Cannot take out an id without its source: give "--source NAME"',
      );
    }
    const nowMs = Date.now();
    using store = await openStore(values);
    const { set } = store;
    const isChoice = source !== undefined || older !== undefined;
    const gone = isChoice
      ? set.remove(
        choiceOf({ source, id, before: older === undefined ? undefined : nowMs - older }),
      )
      : set.expire(nowMs);
    if (gone > 0) store.save();
    if (values.output.json) print(JSON.stringify({ gone, left: set.size }));
    else {
      print(`${gone} indicators taken out, ${set.size} left`);
      if (gone > 0) tell(RELOAD_HINT);
    }
  });
}

function choiceOf(
  { source, id, before }: {
    readonly source: string | undefined;
    readonly id: string | undefined;
    /** Unix time in milliseconds. */
    readonly before: number | undefined;
  },
): (indicator: Indicator) => boolean {
  return (each) =>
    (source === undefined || each.source === source) && (id === undefined || each.id === id) &&
    (before === undefined || each.listedMs < before);
}
