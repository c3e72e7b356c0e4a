import { type Command, InvalidArgumentError } from "commander";
import type { RuleInfo } from "../../common/sigma/mod.ts";
import type { TechniqueTable } from "../../common/techniques/mod.ts";
import { print, tell } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { rulePaths, SHIPPED_TECHNIQUES } from "../rules.ts";
import { addRuleSettings, settingsOf } from "../settings.ts";

const LEVELS = ["informational", "low", "medium", "high", "critical"] as const;
type Level = (typeof LEVELS)[number];

const AFTER_HELP = `
Without a path: the rules in force. --tag takes a whole tag (attack.execution), or a technique with
or without its sub-technique (T1059, aml.t0055); older ids count as the present ones.
Exit code 1 when a rule did not load.`;

interface ListOptions {
  readonly tag?: readonly string[];
  readonly level?: Level;
}

/** What is listed of a rule or a correlation. */
type Listed =
  & Pick<RuleInfo, "id" | "title" | "level" | "tags" | "path" | "line" | "description">
  & {
    readonly type: string;
  };

/** `immune rules list` */
export function addRulesList(rules: Command, exit: (code: number) => void): void {
  const command = rules.command("list")
    .description("list rules with their level and tags")
    .argument("[path...]", "rule files, or folders with rule files")
    .option("--tag <tag>", "only rules with this tag or technique; may be repeated", repeated)
    .option("--level <level>", `only rules of this level or above: ${LEVELS.join(", ")}`, levelOf)
    .option("--json", "print one JSON object a rule")
    .addHelpText("after", AFTER_HELP);
  addRuleSettings(command).action(async (paths: readonly string[], options: ListOptions) => {
    const { values } = settingsOf(command);
    const { entriesOf, readRulebook } = await import("../rulebook/read.ts");
    const { parseTechniques } = await import("../../common/techniques/mod.ts");
    const { describeRejection } = await import("../../common/sigma/mod.ts");
    const techniques = parseTechniques(await Deno.readTextFile(SHIPPED_TECHNIQUES));
    const { ruleSet } = await readRulebook(paths.length > 0 ? paths : rulePaths(values));
    const wanted = await filterOf(options, techniques);
    const listed = entriesOf(ruleSet).flatMap((entry): Listed[] => {
      if (entry.kind === "rejected") return [];
      const type = entry.kind === "rule" ? "rule" : entry.rule.type;
      return wanted(entry.rule) ? [{ ...entry.rule, type }] : [];
    });
    if (values.output.json) { for (const rule of listed) print(jsonOf(rule)); }
    else printTable(listed);
    for (const rejection of ruleSet.rejected) tell(visible(describeRejection(rejection)));
    if (ruleSet.rejected.length > 0) exit(1);
  });
}

function repeated(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], text];
}

function levelOf(text: string): Level {
  const level = LEVELS.find((name) => name === text);
  if (level === undefined) throw new InvalidArgumentError(`Give one of ${LEVELS.join(", ")}.`);
  return level;
}

async function filterOf(
  { tag: tags = [], level }: ListOptions,
  table: TechniqueTable,
): Promise<(rule: Pick<RuleInfo, "tags" | "level">) => boolean> {
  const { hasTag } = await import("../rulebook/tag_filter.ts");
  const least = level === undefined ? 0 : LEVELS.indexOf(level);
  return (rule) =>
    LEVELS.indexOf(rule.level) >= least && tags.every((tag) => hasTag(rule.tags, { tag, table }));
}

function jsonOf({ id, title, level, tags, path, line, description, type }: Listed): string {
  return JSON.stringify({ id, title, level, tags, path, line, description, type });
}

function printTable(listed: readonly Listed[]): void {
  print(
    table(listed, [
      { title: "LEVEL", value: ({ level }) => level },
      { title: "RULE", value: ({ id }) => visible(id) },
      { title: "TITLE", value: ({ title }) => visible(title) },
      { title: "TAGS", value: ({ tags }) => visible(tags.join(" ")) },
    ]).trimEnd(),
  );
  print(`${listed.length} rules`);
}
