import type { Command } from "commander";
import type { JsonObject, Rule } from "../../common/sigma/mod.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { print } from "../output.ts";
import { visible } from "../render/terminal.ts";
import { rulePaths } from "../rules.ts";
import { addRuleSettings, settingsOf } from "../settings.ts";

/** Longest event that is read, in bytes. */
const EVENT_BYTES_MAX = 1024 * 1024;

const AFTER_HELP = `
RULE is a file with one rule, or the id, name or title of one of the rules in force (--rules others).
EVENT is a file with one JSON object: flat with field names as rules have them, or in ECS form, as
"immune events tail --json" and alerts have it.
Each part of the rule has a line: + for what holds, - for what does not. The engine judges.`;

/** `immune rules explain` */
export function addRulesExplain(rules: Command): void {
  const command = rules.command("explain")
    .description("say which parts of a rule an event fulfils, and which not")
    .argument("<rule>", "rule file, or a rule's id, name or title")
    .argument("<event>", 'file with one JSON object; "-" = stdin')
    .option("--json", "print the verdict on each part as one JSON object")
    .addHelpText("after", AFTER_HELP);
  addRuleSettings(command).action(async (wanted: string, file: string) => {
    const { values } = settingsOf(command);
    const { explainEvent } = await import("../../agent/pipeline/explain_event.ts");
    const { explanationLines } = await import("../rulebook/explanation.ts");
    const { Engine } = await import("../../wasm/engine/mod.ts");
    const rule = await findRule(wanted, rulePaths(values));
    const event = await readEvent(file);
    const explanation = explainEvent(rule, event, { engine: await Engine.create() });
    const { id, title } = rule;
    if (values.output.json) {
      print(JSON.stringify({ rule: { id, title }, ...explanation }));
      return;
    }
    const verdict = explanation.fires ? "fires" : "does not fire";
    print(visible(`Rule "${title}" (${id}) ${verdict}`));
    for (const line of explanationLines(explanation)) print(visible(line));
  });
}

async function findRule(wanted: string, paths: readonly string[]): Promise<Rule> {
  const { readRulebook } = await import("../rulebook/read.ts");
  const isFile = await Deno.stat(wanted).then((info) => !info.isDirectory, () => false);
  const { written, ruleSet } = await readRulebook(isFile ? [wanted] : paths);
  const { describeRejection } = await import("../../common/sigma/mod.ts");
  const rules = [...written.values()];
  const found = isFile
    ? rules
    : rules.filter(({ id, name, title }) => [id, name, title].includes(wanted));
  const [rule] = found;
  if (rule !== undefined && found.length === 1) return rule;
  const correlation = ruleSet.correlations.find(({ id, name, title }) =>
    [id, name, title].includes(wanted)
  );
  const [rejection] = ruleSet.rejected;
  if (isFile && rejection !== undefined) {
    throw new ImmuneError("RULE_INVALID", describeRejection(rejection));
  }
  const members = correlation?.members.map(({ reference }) => `"${reference}"`).join(", ");
  const reason = members !== undefined
    ? `it is a correlation, which no one event fulfils; explain one of ${members}`
    : isFile
    ? `the file has ${found.length} rules; name one by its id, with --rules "${wanted}"`
    : found.length > 1
    ? `${found.length} rules are called so; give the id of one`
    : 'no loaded rule has this id, name or title; see "immune rules list"';
  throw new ImmuneError("NOT_FOUND", `Cannot explain rule "${wanted}": ${reason}`);
}

async function readEvent(file: string): Promise<JsonObject> {
  const { openInput } = await import("../../agent/pipeline/input.ts");
  const { isJsonObject } = await import("../../common/sigma/mod.ts");
  const { chunks } = await openInput(file);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > EVENT_BYTES_MAX) {
      throw malformed(file, `longer than ${EVENT_BYTES_MAX} bytes`);
    }
  }
  let value: unknown;
  try {
    value = JSON.parse(text + decoder.decode());
  } catch (cause) {
    throw malformed(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isJsonObject(value)) throw malformed(file, "no JSON object");
  return value;
}

function malformed(file: string, why: string, cause?: unknown): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot read event "${file}": it is ${why}`, { cause });
}
