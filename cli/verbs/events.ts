import { type Command, InvalidArgumentError } from "commander";
import type { EcsDocument } from "../../common/record/mod.ts";
import { KIND_NAMES, type KindName, KINDS } from "../../common/record/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { runSensor } from "../sensor_run.ts";

const KERNEL_KINDS = KIND_NAMES.filter((name) => KINDS[name].stream !== "user");

/** `immune events tail` */
export function addEvents(program: Command): void {
  const events = program.command("events").description("look at events");
  const tail = events.command("tail")
    .description("show events as they happen; nothing is stored")
    .option("--json", "print one ECS document a line")
    .option("--kinds <list>", `comma-separated: ${KERNEL_KINDS.join(", ")}`, parseKinds);
  addSettings(tail).action(
    async (options: { readonly json?: boolean; readonly kinds?: readonly KindName[] }) => {
      const settings = settingsOf(tail);
      const shown: ReadonlySet<string> = new Set(options.kinds ?? KERNEL_KINDS);
      const counters = await runSensor(settings, {
        journal: false,
        rules: false,
        kinds: options.kinds ?? KERNEL_KINDS,
        onReady: ({ note }) => console.error(`Showing events; ${note}. Ctrl-C stops.`),
        onDocument: (document) => {
          if (!shown.has(document.event.action)) return;
          console.log(options.json ? JSON.stringify(document) : renderEvent(document));
        },
        onWarning: (message) => console.error(`immune: ${visible(message)}`),
      });
      const { records, documentsDropped, lost } = counters;
      console.error(
        `Stopped: ${records} records, ${documentsDropped} not shown (slow reader), ${lost} lost`,
      );
    },
  );
}

function parseKinds(list: string): readonly KindName[] {
  return list.split(",").map((name) => {
    const kind = KERNEL_KINDS.find((known) => known === name.trim());
    if (kind === undefined) {
      throw new InvalidArgumentError(`There is no kind "${name}"; use ${KERNEL_KINDS.join(", ")}`);
    }
    return kind;
  });
}

/** One line an event. */
function renderEvent(document: EcsDocument): string {
  const { process, event } = document;
  const endpoint = document.destination ?? document.source;
  const target = document.file?.path ??
    (endpoint === undefined ? process?.command_line ?? "" : `${endpoint.ip}:${endpoint.port}`);
  return [
    document["@timestamp"],
    event.action.padEnd(8),
    String(process?.pid ?? "").padStart(7),
    visible(process?.executable ?? "(not known)"),
    visible(target),
  ].join(" ");
}
