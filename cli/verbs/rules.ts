import type { Command } from "commander";
import { print, tell } from "../output.ts";
import type { RuleInfo, RuleRejection, RuleSet } from "../../common/sigma/mod.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";

interface CheckedRule {
  readonly id: string;
  readonly path: string;
  readonly line: number;
  readonly title: string;
  readonly loaded: boolean;
  /** Why it did not load; for a loaded rule what it costs or cannot see, else empty. */
  readonly reason: string;
}

/** `immune rules check` */
export function addRules(program: Command, exit: (code: number) => void): void {
  const rules = program.command("rules").description("work with rules");
  rules.command("check")
    .description("load rules and say of each whether it loaded, and why not")
    .argument("<path>", "rule file, or folder with rule files")
    .option("--json", "print one JSON object a rule")
    .addHelpText("after", "\nExit code 1 when a rule did not load.")
    .action(async (path: string, options: { readonly json?: boolean }) => {
      // Loaded here: other verbs run for months and do without.
      const { compileRules, describeRejection, readRuleSources } = await import(
        "../../common/sigma/mod.ts"
      );
      const ruleSet = compileRules(await readRuleSources(path));
      if (options.json) {
        for (const rule of checkedRules(ruleSet)) print(JSON.stringify(rule));
      } else printTable(ruleSet, ruleSet.rejected.map(describeRejection));
      if (ruleSet.rejected.length > 0) exit(1);
    });
}

function printTable(ruleSet: RuleSet, rejected: readonly string[]): void {
  const loaded = checkedRules(ruleSet).filter((rule) => rule.loaded);
  if (loaded.length > 0) {
    print(
      table(loaded, [
        { title: "RULE", value: (rule) => rule.id },
        { title: "TITLE", value: (rule) => visible(rule.title) },
        { title: "NOTE", value: (rule) => visible(rule.reason) },
      ]).trimEnd(),
    );
  }
  for (const line of rejected) tell(visible(line));
  print(`${ruleSet.rules.length} loaded, ${ruleSet.rejected.length} not loaded`);
}

function checkedRules({ rules, rejected, interest }: RuleSet): CheckedRule[] {
  const notes = new Map(interest.wide.map((need) => [need.rule, need.reason]));
  return [
    ...rules.map((rule, i) => loadedRule(rule, notes.get(i) ?? "")),
    ...rejected.map(rejectedRule),
  ].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line);
}

function loadedRule(rule: RuleInfo, note: string): CheckedRule {
  const { id, path, line, title } = rule;
  return { id, path, line, title, loaded: true, reason: note };
}

function rejectedRule(rejection: RuleRejection): CheckedRule {
  const { path, line, id = "", title = "" } = rejection;
  return { id, path, line, title, loaded: false, reason: rejection.reason };
}
