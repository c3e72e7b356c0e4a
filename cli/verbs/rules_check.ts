import type { Command } from "commander";
import type { PatternReport, RuleCost } from "../rulebook/cost.ts";
import type { Entry, Rulebook } from "../rulebook/read.ts";
import { print, tell } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";

const AFTER_HELP = `
TESTS are distinct tests of fields; the rule is looked at when one of its CANDIDATES holds.
RE counts regular expressions. Each that is not SAFE is named with its score and place; it loads all
the same, as matching takes time in proportion to the text alone.
Exit code 1 when a rule did not load.`;

/** One line of the report, and of --json. */
interface CheckedRule {
  readonly id: string;
  readonly path: string;
  readonly line: number;
  readonly column?: number;
  readonly title: string;
  readonly loaded: boolean;
  /** Why it did not load; for a loaded rule what it costs or cannot see, else empty. */
  readonly reason: string;
  readonly cost?: RuleCost;
  /** Fields that it asks for and no record carries: only events that are replayed can have them. */
  readonly unfed?: readonly string[];
  /** It is blind, or sees less, without the wide stream of opens. */
  readonly wide?: boolean;
  readonly patterns?: readonly PatternReport[];
}

/** `immune rules check` */
export function addRulesCheck(rules: Command, exit: (code: number) => void): void {
  rules.command("check")
    .description("load rules and say of each whether it loaded, why not, and what it costs")
    .argument("<path...>", "rule files, or folders with rule files")
    .option("--json", "print one JSON object a rule")
    .addHelpText("after", AFTER_HELP)
    .action(async (paths: readonly string[], options: { readonly json?: boolean }) => {
      // Loaded here: other verbs run for months and do without.
      const { entriesOf, readRulebook } = await import("../rulebook/read.ts");
      const { describeRejection } = await import("../../common/sigma/mod.ts");
      const book = await readRulebook(paths);
      const reporter = await reporterOf(book);
      const checked = entriesOf(book.ruleSet).map(reporter);
      const { rejected } = book.ruleSet;
      if (options.json) { for (const rule of checked) print(JSON.stringify(rule)); }
      else printReport(checked, rejected.map(describeRejection));
      if (rejected.length > 0) exit(1);
    });
}

async function reporterOf(
  { ruleSet, written }: Rulebook,
): Promise<(entry: Entry) => CheckedRule> {
  const { costOf, patternsOf } = await import("../rulebook/cost.ts");
  const { unheardMembers } = await import("../../common/sigma/correlation/silence.ts");
  const unheard = unheardMembers(ruleSet.correlations);
  const needs = ruleSet.interest.wide;
  const { whole } = ruleSet.interest.network;
  const notes = new Map([
    ...whole.map(({ rule, kinds }) => [rule, wholeNote(kinds)] as const),
    ...needs.map(({ rule, reason }) => [rule, reason] as const),
  ]);
  const blind = new Set(needs.filter(({ why }) => why === "path").map(({ rule }) => rule));
  return (entry) => {
    const { id = "", path, line, title = "" } = entry.rule;
    const base = { id, path, line, title };
    if (entry.kind === "rejected") {
      const { column, reason } = entry.rule;
      return { ...base, column, loaded: false, reason };
    }
    if (entry.kind === "correlation") {
      const where = entry.rule.scope === "fleet" ? " over hosts" : "";
      const waits = unheard.filter(({ rule }) => rule === entry.rule)
        .map(({ reference }) => `; waits for "${reference}" in vain: it raises no alerts`);
      const reason = `correlation (${entry.rule.type})${where}${waits.join("")}`;
      return { ...base, loaded: true, reason };
    }
    const rule = written.get(id);
    const { unfed } = entry.rule;
    const reason = notes.get(entry.index) ?? "";
    if (rule === undefined) return { ...base, loaded: true, reason, unfed };
    const cost = costOf(rule);
    const wide = blind.has(entry.index);
    return { ...base, loaded: true, reason, cost, wide, unfed, patterns: patternsOf(rule) };
  };
}

/** What the setting `sensor.connections = "rules"` makes of it. */
function wholeNote(kinds: readonly string[]): string {
  return `the kernel can tell neither its address nor its port, and sends every ${
    kinds.join(", ")
  }`;
}

function printReport(checked: readonly CheckedRule[], rejected: readonly string[]): void {
  const loaded = checked.filter((rule) => rule.loaded);
  if (loaded.length > 0) {
    print(
      table(loaded, [
        { title: "RULE", value: (rule) => rule.id },
        { title: "TESTS", value: ({ cost }) => `${cost?.tests ?? ""}` },
        { title: "CANDIDATES", value: ({ cost }) => candidates(cost) },
        { title: "RE", value: ({ cost }) => `${cost?.regexes || ""}` },
        { title: "TITLE", value: (rule) => visible(rule.title) },
        { title: "NOTE", value: (rule) => visible(noteOf(rule)) },
      ]).trimEnd(),
    );
  }
  for (const { path, line, patterns = [] } of loaded) {
    for (const { field, pattern, verdict, score, at, reason } of patterns) {
      if (verdict === "SAFE") continue;
      const where = `${path}:${line}: ${field}|re "${pattern}"`;
      tell(visible(`${where} is ${verdict} (score ${Math.round(score)}) at ${at + 1}: ${reason}`));
    }
  }
  for (const line of rejected) tell(visible(line));
  const wide = loaded.filter((rule) => rule.wide === true).length;
  const costly = wide === 0 ? "" : `, ${wide} want the wide stream of opens`;
  print(`${loaded.length} loaded, ${rejected.length} not loaded${costly}`);
}

/** What to know of a loaded rule. */
function noteOf({ reason, unfed = [] }: CheckedRule): string {
  if (unfed.length === 0) return reason;
  const names = unfed.map((name) => name === "" ? "keywords" : name).join(", ");
  return `${reason}${reason === "" ? "" : "; "}no record has ${names}`;
}

function candidates(cost: RuleCost | undefined): string {
  if (cost === undefined) return "";
  return cost.always ? "every event" : `${cost.candidates}`;
}
