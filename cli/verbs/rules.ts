import type { Command } from "commander";
import { addRulesCheck } from "./rules_check.ts";
import { addRulesCoverage } from "./rules_coverage.ts";
import { addRulesExplain } from "./rules_explain.ts";
import { addRulesImport } from "./rules_import.ts";
import { addRulesList } from "./rules_list.ts";
import { addRulesTest } from "./rules_examples.ts";

/** `immune rules` */
export function addRules(program: Command, exit: (code: number) => void): void {
  const rules = program.command("rules").description("work with rules");
  addRulesCheck(rules, exit);
  addRulesTest(rules, exit);
  addRulesList(rules, exit);
  addRulesExplain(rules);
  addRulesImport(rules, exit);
  addRulesCoverage(rules, exit);
}
