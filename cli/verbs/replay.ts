import type { Command } from "commander";
import { replay } from "../../agent/pipeline/replay.ts";
import { compileRules, describeRejection } from "../../common/sigma/mod.ts";
import { visible } from "../render/terminal.ts";
import { readRules } from "../rules.ts";
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
  addSettings(command).action(async (file: string, options: { readonly json?: boolean }) => {
    const settings = settingsOf(command);
    const ruleSet = compileRules(await readRules(settings.values));
    for (const rejection of ruleSet.rejected) console.error(visible(describeRejection(rejection)));
    const summary = await replay(file, {
      ruleSet,
      onMatch: (match) => {
        if (options.json) console.log(JSON.stringify(match));
        else console.log(`${match.line}: ${visible(match.rule.title)} ${match.rule.id}`);
      },
      onNotice: (line, notice) => console.error(`${file}:${line}: ${visible(notice)}`),
      onProblem: (line, problem) => console.error(`${file}:${line}: ${visible(problem)}`),
    });
    if (!options.json) {
      console.log(`${summary.events} events, ${summary.matches} matches, ${summary.problems} bad`);
    }
    if (summary.problems > 0) exit(1);
  });
}
