import type { Command } from "commander";
import { ImmuneError } from "../../common/config/errors.ts";
import type { CoveredTechnique } from "../rulebook/coverage.ts";
import { print, tell } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { rulePaths, SHIPPED_TECHNIQUES } from "../rules.ts";
import { addRuleSettings, settingsOf } from "../settings.ts";

const AFTER_HELP = `
Techniques of MITRE ATT&CK and ATLAS that rules are tagged with. Older ids count as the present ones.
Without a path: the rules in force. --navigator writes a layer for the ATT&CK Navigator; the score
of a technique is its number of rules. Exit code 1 when a rule did not load.`;

/** `immune rules coverage` */
export function addRulesCoverage(rules: Command, exit: (code: number) => void): void {
  const command = rules.command("coverage")
    .description("say which techniques of ATT&CK and ATLAS the rules cover")
    .argument("[path...]", "rule files, or folders with rule files")
    .option("--navigator <file>", "write a layer for the ATT&CK Navigator to this file")
    .option("--json", "print one JSON object a technique")
    .addHelpText("after", AFTER_HELP);
  addRuleSettings(command).action(
    async (paths: readonly string[], { navigator }: { readonly navigator?: string }) => {
      const { values } = settingsOf(command);
      const { readRulebook } = await import("../rulebook/read.ts");
      const { coverageOf } = await import("../rulebook/coverage.ts");
      const { parseTechniques } = await import("../../common/techniques/mod.ts");
      const { describeRejection } = await import("../../common/sigma/mod.ts");
      const techniques = parseTechniques(await Deno.readTextFile(SHIPPED_TECHNIQUES));
      const { ruleSet } = await readRulebook(paths.length > 0 ? paths : rulePaths(values));
      const all = [...ruleSet.rules, ...ruleSet.correlations];
      const covered = coverageOf(all, techniques);
      if (values.output.json) { for (const technique of covered) print(jsonOf(technique)); }
      else printTable(covered, all.length);
      if (navigator !== undefined) {
        const { navigatorLayer } = await import("../rulebook/navigator.ts");
        await write(navigator, JSON.stringify(navigatorLayer(covered, techniques), null, 2));
      }
      for (const rejection of ruleSet.rejected) tell(visible(describeRejection(rejection)));
      if (ruleSet.rejected.length > 0) exit(1);
    },
  );
}

async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, `${text}\n`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("OUTPUT_UNWRITABLE", `Cannot write the layer "${path}": ${why}`, {
      cause,
    });
  }
}

function jsonOf({ framework, id, name, tactics, rules }: CoveredTechnique): string {
  return JSON.stringify({ framework, id, name, tactics, rules: rules.map((rule) => rule.id) });
}

function printTable(covered: readonly CoveredTechnique[], count: number): void {
  print(
    table(covered, [
      { title: "TECHNIQUE", value: ({ id }) => id },
      { title: "RULES", value: ({ rules }) => `${rules.length}` },
      { title: "NAME", value: ({ name }) => name },
      { title: "TACTICS", value: ({ tactics }) => tactics.join(", ") },
    ]).trimEnd(),
  );
  const of = (framework: string): number =>
    covered.filter((technique) => technique.framework === framework).length;
  print(`${count} rules cover ${of("attack")} techniques of ATT&CK and ${of("atlas")} of ATLAS`);
}
