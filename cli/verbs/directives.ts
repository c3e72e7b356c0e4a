import { type Command, InvalidArgumentError, Option } from "commander";
import * as z from "zod";
import { type Config, ImmuneError } from "../../common/config/mod.ts";
import {
  type PackFile,
  POLICY_OPENS,
  WAKE_INTERVAL_MAX_US,
  writePack,
} from "../../common/wire/mod.ts";
import { type ActReader, addActJson, printAnswered } from "../acts.ts";
import { ApiClient } from "../api.ts";
import { addReason } from "../asked.ts";
import { print } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";

const PATH = "/api/v1/directives";

const listSchema = z.object({
  directives: z.array(z.looseObject({
    stream: z.string(),
    number: z.number(),
    kind: z.string(),
    host: z.string().nullable(),
    issuedAt: z.string(),
    by: z.string(),
    results: z.object({ done: z.number(), failed: z.number(), refused: z.number() }),
  })),
});
type Line = z.infer<typeof listSchema>["directives"][number];

const packSchema = z.looseObject({
  files: z.array(z.object({ name: z.string(), text: z.string() })),
});

const outcomesSchema = z.object({
  outcomes: z.array(z.looseObject({
    hostName: z.string(),
    outcome: z.string(),
    cause: z.string().nullable(),
    text: z.string(),
    heardAt: z.string(),
  })),
});

const sentSchema = z.looseObject({ stream: z.string(), number: z.number(), expiresAt: z.string() });

/** Where an order goes, and how long it holds. */
interface Reach {
  readonly host?: string;
  readonly valid?: string;
  readonly reason?: string;
}

/** `immune directives` */
export function addDirectives(program: Command): void {
  const group = program.command("directives")
    .description("send signed orders to agents, and see what became of them");
  addList(group);
  addShow(group);
  addRules(group);
  addPack(group);
  addPolicy(group);
  addRotate(group);
}

function addList(group: Command): void {
  const command = group.command("list").description("show the newest orders, newest first")
    .option("--json", "print one JSON object an order");
  addSettings(command).action(async () => {
    const { values } = settingsOf(command);
    const found = listSchema.parse(await new ApiClient(values).get(PATH)).directives;
    if (values.output.json) {
      for (const line of found) print(JSON.stringify(line));
      return;
    }
    print(
      table(found, [
        { title: "ORDER", value: ({ stream, number }: Line): string => `${stream}/${number}` },
        { title: "KIND", value: ({ kind }: Line): string => kind },
        { title: "HOST", value: ({ host }: Line): string => host?.slice(0, 16) ?? "every host" },
        { title: "ISSUED", value: ({ issuedAt }: Line): string => issuedAt },
        { title: "BY", value: ({ by }: Line): string => visible(by) },
        { title: "DONE", value: ({ results }: Line): string => String(results.done) },
        { title: "FAILED", value: ({ results }: Line): string => String(results.failed) },
        { title: "REFUSED", value: ({ results }: Line): string => String(results.refused) },
      ]).trimEnd(),
    );
  });
}

function addShow(group: Command): void {
  const command = group.command("show").description("show what became of an order, host by host")
    .argument("<order>", "as the list shows it, such as directive/3")
    .option("--json", "print one JSON object a host");
  addSettings(command).action(async (order: string) => {
    if (!/^(directive|stop)\/\d{1,16}$/.test(order)) {
      throw new ImmuneError("USAGE", `Cannot show "${order}": it is not like directive/3`);
    }
    const { values } = settingsOf(command);
    const answer = await new ApiClient(values).get(`${PATH}/${order}`);
    const { outcomes } = outcomesSchema.parse(answer);
    if (values.output.json) {
      for (const line of outcomes) print(JSON.stringify(line));
      return;
    }
    print(
      table(outcomes, [
        { title: "HOST", value: ({ hostName }): string => visible(hostName) },
        { title: "OUTCOME", value: ({ outcome, cause }): string => cause ?? outcome },
        { title: "FOUND", value: ({ text }): string => visible(text) },
      ]).trimEnd(),
    );
  });
}

function addRules(group: Command): void {
  const command = reach(
    group.command("rules").description("put a folder of rules in force, or the hosts' own again")
      .option("--pack <folder>", "folder with rule files")
      .option("--own", "the rules that each host's own configuration names"),
  );
  addSettings(command).action(async (
    options: Reach & { readonly pack?: string; readonly own?: boolean },
  ) => {
    if ((options.pack === undefined) === (options.own !== true)) {
      throw new ImmuneError("USAGE", "Name one: --pack FOLDER, or --own");
    }
    const { values } = settingsOf(command);
    const api = new ApiClient(values);
    const pack = options.pack === undefined ? null : z.object({ pack: z.string() }).parse(
      await api.send("post", "/api/v1/rule-packs", { bytes: packOf(options.pack) }),
    ).pack;
    await send(values, { kind: "rules", body: { pack } }, options);
  });
}

function addPack(group: Command): void {
  const command = group.command("pack")
    .description("print the rules of a pack that is ordered: read it before you approve it")
    .argument("<hash>", "its SHA-256, as the order names it")
    .option("--json", "print the pack as one JSON object");
  addSettings(command).action(async (hash: string) => {
    if (!/^[0-9a-f]{64}$/.test(hash)) {
      throw new ImmuneError("USAGE", `Cannot show pack "${hash}": it is no SHA-256`);
    }
    const { values } = settingsOf(command);
    const answer = await new ApiClient(values).get(`/api/v1/rule-packs/${hash}`);
    const { files } = packSchema.parse(answer);
    if (values.output.json) return print(JSON.stringify(answer));
    for (const { name, text } of files) {
      print(`# ${visible(name)}`);
      for (const line of text.trimEnd().split("\n")) print(visible(line));
    }
  });
}

function addPolicy(group: Command): void {
  const command = reach(
    group.command("policy").description("say what sensors report; what is not named is the host's")
      .addOption(
        new Option("--open <which>", "which opens are reported").choices(POLICY_OPENS),
      )
      .option(
        "--wake-us <microseconds>",
        "what comes after a batch is gathered so long; 0 = an exec is read at once",
        parseWake,
      )
      .option(
        "--watch <path>",
        "watched besides; repeated",
        (path: string, before: readonly string[]) => [...before, path],
        [] as readonly string[],
      ),
  );
  addSettings(command).action(async (
    options: Reach & {
      readonly open?: string;
      readonly wakeUs?: number;
      readonly watch: readonly string[];
    },
  ) => {
    const body = {
      open: options.open ?? null,
      wakeIntervalUs: options.wakeUs ?? null,
      watch: options.watch.length === 0 ? null : options.watch,
    };
    await send(settingsOf(command).values, { kind: "policy", body }, options);
  });
}

function addRotate(group: Command): void {
  const command = group.command("rotate-key")
    .description("put another directive key in force; the old one tells agents of it");
  addSettings(addActJson(command)).action(async () => {
    const { values } = settingsOf(command);
    const answer = await new ApiClient(values).send("post", "/api/v1/directive-key/rotate");
    printSent(answer, values.output);
  });
}

function reach(command: Command): Command {
  return addActJson(addReason(command))
    .option("--host <id>", "host id; default: every host")
    .option("--valid <duration>", "how long it holds, such as 60s (default) or 1d");
}

async function send(values: Config, order: unknown, reached: Reach): Promise<void> {
  const { host, valid, reason } = reached;
  const body = {
    order,
    ...(host === undefined ? {} : { host }),
    ...(valid === undefined ? {} : { valid }),
    ...(reason === undefined ? {} : { reason }),
  };
  printSent(await new ApiClient(values).send("post", PATH, { body }), values.output);
}

function printSent(answer: unknown, { json }: ActReader): void {
  printAnswered(answer, {
    json,
    act: (sent) => {
      const { stream, number, expiresAt } = sentSchema.parse(sent);
      const text = `Sent ${stream}/${number}, which holds until ${expiresAt}`;
      return { did: { stream, number, expiresAt }, text };
    },
  });
}

function packOf(folder: string): Uint8Array<ArrayBuffer> {
  try {
    const files: PackFile[] = [...Deno.readDirSync(folder)]
      .filter(({ name, isFile }) => isFile && /\.ya?ml$/.test(name))
      .map(({ name }) => ({ name, text: Deno.readTextFileSync(`${folder}/${name}`) }));
    if (files.length === 0) throw new Error("it holds no rule files");
    return writePack(files);
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot pack folder "${folder}": ${why}`, { cause });
  }
}

function parseWake(text: string): number {
  if (/^\d{1,7}$/.test(text) && Number(text) <= WAKE_INTERVAL_MAX_US) return Number(text);
  throw new InvalidArgumentError(`Use microseconds from 0 to ${WAKE_INTERVAL_MAX_US}.`);
}
