import type { Command } from "commander";
import { print, tell } from "../output.ts";
import { visible } from "../render/terminal.ts";
import { rulePaths } from "../rules.ts";
import { addSettings, settingsOf } from "../settings.ts";

/** `immune replay` */
export function addReplay(program: Command, exit: (code: number) => void): void {
  const command = program.command("replay")
    .description("run recorded events through the rules; needs no root")
    .argument("<file>", 'NDJSON (ECS form, or Sigma field names) or a journal segment; "-" = stdin')
    .option("--json", "print one JSON object for each rule that fires on an event")
    .addHelpText(
      "after",
      '\nA line may name its log source: {"logsource": {"category": ...}}; without one, no rule\'s' +
        "\nlog source is tested. Exit code 1 when a line is no JSON object.",
    );
  addSettings(command).action(async (file: string) => {
    const { values } = settingsOf(command);
    const { json } = values.output;
    // Loaded here: other verbs run for months and do without.
    const { compileRules, describeRejection, readRuleSources } = await import(
      "../../common/sigma/mod.ts"
    );
    const { replay } = await import("../../agent/pipeline/replay.ts");
    const sources = await Promise.all(rulePaths(values).map((path) => readRuleSources(path)));
    const ruleSet = compileRules(sources.flat());
    for (const rejection of ruleSet.rejected) tell(visible(describeRejection(rejection)));
    if (ruleSet.rules.length === 0) tell("immune: No rule was loaded: nothing can fire");
    const summary = await replay(file, {
      ruleSet,
      onMatch: (match) => {
        if (json) print(JSON.stringify(match));
        else print(`${match.line}: ${visible(match.rule.title)} ${match.rule.id}`);
      },
      onNotice: (line, notice) => tell(`${file}:${line}: ${visible(notice)}`),
      onProblem: (line, problem) => tell(`${file}:${line}: ${visible(problem)}`),
    });
    if (!json) {
      print(`${summary.events} events, ${summary.matches} matches, ${summary.problems} bad`);
    }
    if (summary.problems > 0) exit(1);
  });
}
