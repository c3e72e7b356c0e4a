import type { Command } from "commander";
import { loadIndicatorsOrWarn } from "../../agent/indicators/load.ts";
import { statePaths } from "../../common/config/mod.ts";
import { print, tell } from "../output.ts";
import { visible } from "../render/terminal.ts";
import { rulePaths } from "../rules.ts";
import { addSettings, settingsOf } from "../settings.ts";

/** `immune replay` */
export function addReplay(program: Command, exit: (code: number) => void): void {
  const command = program.command("replay")
    .description("run recorded events through rules and indicators; needs no root")
    .argument("<file>", 'NDJSON (ECS form, or Sigma field names) or a journal segment; "-" = stdin')
    .option("--json", "print one JSON object for each rule that fires on an event")
    .option("--deliver", "send what comes of it to the hive that this host is enrolled with")
    .addHelpText(
      "after",
      '\nA line may name its log source: {"logsource": {"category": ...}}; without one, no rule\'s' +
        "\nlog source is tested. Exit code 1 when a line is no JSON object." +
        '\nIndicators are those of the state folder (--state; see "immune indicators").' +
        "\nWith --deliver the events of a journal segment, and all alerts, reach the hive as this" +
        "\nhost's, at their own time; its agent must not run meanwhile.",
    );
  addSettings(command).action(async (file: string, options: { readonly deliver?: boolean }) => {
    const { values } = settingsOf(command);
    const { json } = values.output;
    const indicators = await loadIndicatorsOrWarn(statePaths(values.state.dir).indicators, {
      onWarning: (message) => tell(`immune: ${visible(message)}`),
      stays: "no indicator is looked for",
    });
    // Loaded here: other verbs run for months and do without.
    const { compileRules, describeRejection, readRuleSources } = await import(
      "../../common/sigma/mod.ts"
    );
    const sources = await Promise.all(rulePaths(values).map((path) => readRuleSources(path)));
    const ruleSet = compileRules(sources.flat());
    for (const rejection of ruleSet.rejected) tell(visible(describeRejection(rejection)));
    if (ruleSet.rules.length === 0) tell("immune: No rule was loaded: nothing can fire");
    const onProblem = (line: number, problem: string): void =>
      tell(`${file}:${line}: ${visible(problem)}`);
    if (options.deliver) {
      const { deliverReplay } = await import("../replay_delivery.ts");
      const { events, matches, problems, delivered, hive } = await deliverReplay(file, {
        config: values,
        ruleSet,
        indicators,
        onAlert: (alert) => {
          if (json) print(JSON.stringify(alert));
          else print(`${alert.time}: ${visible(alert.rule.title)} ${alert.rule.id}`);
        },
        onWarning: (message) => tell(`immune: ${visible(message)}`),
        onProblem,
      });
      const where = delivered ? `delivered to ${hive}` : "not all delivered: run it again later";
      if (!json) print(`${events} events, ${matches} matches, ${problems} bad, ${where}`);
      if (problems > 0 || !delivered) exit(1);
      return;
    }
    const { replay } = await import("../../agent/pipeline/replay.ts");
    const summary = await replay(file, {
      ruleSet,
      indicators,
      onMatch: (match) => {
        if (json) print(JSON.stringify(match));
        else print(`${match.line}: ${visible(match.rule.title)} ${match.rule.id}`);
      },
      onNotice: (line, notice) => tell(`${file}:${line}: ${visible(notice)}`),
      onProblem,
    });
    if (!json) {
      print(`${summary.events} events, ${summary.matches} matches, ${summary.problems} bad`);
    }
    if (summary.problems > 0) exit(1);
  });
}
