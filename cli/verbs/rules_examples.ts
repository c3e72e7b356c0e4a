import type { Command } from "commander";
import type { ExampleVerdict } from "../rulebook/examples.ts";
import { print, tell } from "../output.ts";
import { visible } from "../render/terminal.ts";
import { rulePaths } from "../rules.ts";
import { addRuleSettings, settingsOf } from "../settings.ts";

const AFTER_HELP = `
A rule brings its events: "immune: { must: [...], must_not: [...] }", each a map of field names. A
correlation brings sequences: "must_sequences" and "must_not_sequences", lists of lists of events.
They are a second apart, or less where the time span is short, unless they say "@timestamp".
All are run beside all other rules. Without a path: the rules in force.
Exit code 1 when an event does not do what its rule says, or a rule did not load.`;

/** `immune rules test` */
export function addRulesTest(rules: Command, exit: (code: number) => void): void {
  const command = rules.command("test")
    .description("run the events that rules bring along: those that must fire, and must not")
    .argument("[path...]", "rule files, or folders with rule files")
    .option("--json", "print one JSON object a rule")
    .addHelpText("after", AFTER_HELP);
  addRuleSettings(command).action(async (paths: readonly string[]) => {
    const { values } = settingsOf(command);
    const { readRulebook } = await import("../rulebook/read.ts");
    const { judgeExamples } = await import("../rulebook/examples.ts");
    const { describeRejection } = await import("../../common/sigma/mod.ts");
    const { ruleSet } = await readRulebook(paths.length > 0 ? paths : rulePaths(values));
    const verdicts = await judgeExamples(ruleSet);
    if (values.output.json) { for (const verdict of verdicts) print(jsonOf(verdict)); }
    else printVerdicts(verdicts);
    for (const rejection of ruleSet.rejected) tell(visible(describeRejection(rejection)));
    const failed = verdicts.some(({ failures }) => failures.length > 0);
    if (failed || ruleSet.rejected.length > 0) exit(1);
  });
}

function jsonOf({ rule, must, mustNot, failures }: ExampleVerdict): string {
  const { id, path, title } = rule;
  return JSON.stringify({
    id,
    path,
    title,
    must,
    must_not: mustNot,
    passed: failures.length === 0,
    failures,
  });
}

function printVerdicts(verdicts: readonly ExampleVerdict[]): void {
  for (const { rule, failures } of verdicts) {
    for (const { kind, number, events } of failures) {
      const what = kind === "must" ? "did not fire" : "fired";
      const where = `${rule.path}:${rule.line}: "${rule.title}" ${what} on number ${number}`;
      print(visible(`${where} of ${kind}: ${JSON.stringify(events)}`));
    }
  }
  const sum = (of: (verdict: ExampleVerdict) => number): number =>
    verdicts.reduce((total, verdict) => total + of(verdict), 0);
  const must = sum((verdict) => verdict.must);
  const mustNot = sum((verdict) => verdict.mustNot);
  const failed = sum(({ failures }) => failures.length);
  const bare = verdicts.filter((verdict) => verdict.must + verdict.mustNot === 0).length;
  const without = bare === 0 ? "" : `, ${bare} rules without events`;
  print(
    `${verdicts.length} rules: ${must} events must fire, ${mustNot} must not; ` +
      `${failed} failed${without}`,
  );
}
