import { type Command, InvalidArgumentError, Option } from "commander";
import * as z from "zod";
import {
  ANTIBODY_ACTIONS,
  ANTIBODY_REASON_BYTES_MAX,
  ANTIBODY_TYPES,
} from "../../common/herd/antibody.ts";
import { type HerdWord, herdWordSchema } from "../../common/herd/word.ts";
import { ImmuneError } from "../../common/config/mod.ts";
import { sayToHerd } from "../../common/link/herd.ts";
import { enrolledIdentity } from "../delivery.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print } from "../output.ts";
import { parseHours } from "./hours.ts";

const HOUR_MS = 3_600_000;

const standingSchema = z.looseObject({
  agentId: z.string(),
  state: z.string(),
  trust: z.number(),
  vouchers: z.number(),
});
const antibodySchema = z.looseObject({
  antibody: z.looseObject({ id: z.string() }),
  stage: z.string(),
  supporters: z.number(),
  quorum: z.number(),
});

/**
 * Adds what people of an agent's host say to the herd, with this host's key and in its name:
 * `immune herd vouch`, `report`, `propose`, `support`, `object`.
 *
 * @param herd The verb.
 */
export function addWords(herd: Command): void {
  addWord(herd, { name: "vouch", of: "<agent>", about: "speak for another agent" })
    .action((agent: string, _: unknown, command: Command) =>
      say(command, { call: "vouch", of: agent })
    );
  addWord(herd, { name: "report", of: "<agent>", about: "say that an agent is not to be trusted" })
    .action((agent: string, _: unknown, command: Command) =>
      say(command, { call: "report", of: agent })
    );
  addWord(herd, {
    name: "support",
    of: "<antibody>",
    about: "say that this host has the same detection",
  }).argument("<alert>", "id of this host's own alert that shows it")
    .action((antibodyId: string, alertId: string, _: unknown, command: Command) =>
      say(command, { call: "support", antibodyId, alertId })
    );
  addWord(herd, {
    name: "object",
    of: "<antibody>",
    about: "say that an antibody hits what is harmless here",
  }).action((antibodyId: string, _: unknown, command: Command) =>
    say(command, { call: "object", antibodyId })
  );
  addPropose(herd);
}

function addPropose(herd: Command): void {
  addWord(herd, {
    name: "propose",
    of: "<alert>",
    about: "propose an antibody of this host's own alert",
  }).addOption(
    new Option("--type <type>", "what it is of").choices(ANTIBODY_TYPES).makeOptionMandatory(),
  )
    .requiredOption("--value <value>", "hash, path, domain, address, port or text of a rule")
    .addOption(
      new Option("--action <action>", "what happens on a match").choices(ANTIBODY_ACTIONS)
        .default("watch"),
    )
    .option("--reason <text>", "why, for people", parseReason, "")
    .option("--hours <count>", "how long it holds, 1 to 720", parseHours, 24)
    .action((alert: string, options: Record<string, string>, command: Command) =>
      say(command, {
        call: "propose",
        entry: { type: options["type"], value: options["value"] },
        action: options["action"],
        reason: options["reason"],
        evidence: [alert],
        lifetimeMs: Number(options["hours"]) * HOUR_MS,
      })
    );
}

interface Word {
  readonly name: HerdWord["call"];
  readonly of: string;
  /** What it says, for `--help`. */
  readonly about: string;
}

function addWord(herd: Command, { name, of, about }: Word): Command {
  const command = herd.command(name).description(`${about}, as this host's agent`)
    .argument(of, "its id")
    .option("--json", "print the hive's answer as one JSON object");
  return addSettings(command);
}

/** Says it, and what the hive made of it. */
async function say(command: Command, word: unknown): Promise<void> {
  const { values } = settingsOf(command);
  const checked = herdWordSchema.safeParse(word);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const where = issue?.path.at(-1) ?? "word";
    throw new ImmuneError(
      "INPUT_MALFORMED",
      `Cannot say this to the herd: "${String(where)}" does not hold; agents have ids such as ` +
        `${crypto.randomUUID()}, alerts and antibodies 32 hexadecimal digits`,
    );
  }
  const { proxy } = values.agent;
  const answer = await sayToHerd({
    ...enrolledIdentity(values.state.dir),
    ...(proxy === "" ? {} : { proxy }),
  }, checked.data);
  print(values.output.json ? JSON.stringify(answer) : answerLine(answer));
}

function answerLine(answer: unknown): string {
  const standing = standingSchema.safeParse(answer).data;
  if (standing !== undefined) {
    const { agentId, state, trust, vouchers } = standing;
    return `${visible(agentId)} is "${visible(state)}": trust ${trust.toFixed(3)}, ` +
      `${vouchers} vouchers`;
  }
  const { antibody, stage, supporters, quorum } = antibodySchema.parse(answer);
  return `${visible(antibody.id)} is "${visible(stage)}": ${supporters} of ${quorum} votes`;
}

function parseReason(text: string): string {
  if (new TextEncoder().encode(text).length <= ANTIBODY_REASON_BYTES_MAX) return text;
  throw new InvalidArgumentError(`Use at most ${ANTIBODY_REASON_BYTES_MAX} bytes.`);
}
