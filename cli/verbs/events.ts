import { type Command, InvalidArgumentError } from "commander";
import type { EcsDocument } from "../../common/record/mod.ts";
import { endpointText, subjectText } from "../../common/record/ecs_text.ts";
import { KIND_NAMES, type KindName, KINDS } from "../../common/record/table.ts";
import { OutputQueue, tell } from "../output.ts";
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
    async (options: { readonly kinds?: readonly KindName[] }) => {
      const settings = settingsOf(tail);
      const { json } = settings.values.output;
      const shown: ReadonlySet<string> = new Set(options.kinds ?? KERNEL_KINDS);
      const output = new OutputQueue();
      const counters = await runSensor(settings, {
        journal: false,
        rules: false,
        kinds: options.kinds ?? KERNEL_KINDS,
        onReady: ({ note }) => tell(`Showing events; ${note}. Ctrl-C stops.`),
        onDocuments: async (documents) => {
          const lines = documents.filter((document) => shown.has(document.event.action))
            .map((document) => json ? JSON.stringify(document) : renderEvent(document));
          if (lines.length > 0) await output.write(lines.join("\n"));
        },
        onWarning: (message) => tell(`immune: ${visible(message)}`),
      });
      await output.settle();
      const { records, documentsDropped, lost } = counters;
      tell(
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
  const target = subjectText(document) ?? document.file?.path ??
    endpointText(document.destination ?? document.source) ?? process?.command_line ?? "";
  return [
    document["@timestamp"],
    event.action.padEnd(8),
    String(process?.pid ?? "").padStart(7),
    visible(process?.executable ?? "(not known)"),
    visible(target),
  ].join(" ");
}
