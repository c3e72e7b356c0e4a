import type { Command } from "commander";
import type { Rulebook } from "../rulebook/read.ts";
import type { Copied, SkipReason } from "../rulebook/imported.ts";
import { print } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";

const AFTER_HELP = `
DIR is a checkout of SigmaHQ/sigma, or any folder of Sigma rules, as it is. Nothing is copied unless
--into names a folder; files of which something loads then go there, in the same subfolders, and
replace older copies. Name that folder as "rules.paths" in the configuration to have them in force.
"immune rules check DIR" says more of each rule. Exit code 1 when nothing loaded.`;

interface Summary {
  readonly loaded: number;
  readonly correlations: number;
  /** Loaded rules that ask for fields which no record of this host carries. */
  readonly flat_only: number;
  /** Loaded rules that want the wide stream of opens. */
  readonly wide: number;
  readonly skipped: number;
  readonly reasons: readonly SkipReason[];
  readonly copied?: Copied;
}

/** `immune rules import` */
export function addRulesImport(rules: Command, exit: (code: number) => void): void {
  rules.command("import")
    .description("try a folder of Sigma rules, as SigmaHQ has them, and say what loads")
    .argument("<dir>", "folder with rules")
    .option("--into <dir>", "copy the files that load to this folder")
    .option("--json", "print the summary as one JSON object")
    .addHelpText("after", AFTER_HELP)
    .action(async (from: string, options: { readonly into?: string; readonly json?: boolean }) => {
      const { readRulebook } = await import("../rulebook/read.ts");
      const { copyLoaded } = await import("../rulebook/imported.ts");
      const book = await readRulebook([from]);
      const { into } = options;
      const copied = into === undefined
        ? undefined
        : await copyLoaded(book.sources, { from, into, ruleSet: book.ruleSet });
      const summary = await summaryOf(book, copied);
      if (options.json) print(JSON.stringify(summary));
      else printSummary(summary);
      if (summary.loaded + summary.correlations === 0) exit(1);
    });
}

async function summaryOf({ ruleSet }: Rulebook, copied: Copied | undefined): Promise<Summary> {
  const { skipReasons } = await import("../rulebook/imported.ts");
  const { rules, correlations, interest, rejected } = ruleSet;
  return {
    loaded: rules.length,
    correlations: correlations.length,
    flat_only: rules.filter(({ unfed }) => unfed.length > 0).length,
    wide: interest.wide.filter(({ why }) => why === "path").length,
    skipped: rejected.length,
    reasons: skipReasons(ruleSet),
    ...(copied === undefined ? {} : { copied }),
  };
}

function printSummary(summary: Summary): void {
  const { loaded, correlations, flat_only, wide, skipped, reasons, copied } = summary;
  print(`${loaded} rules and ${correlations} correlations loaded`);
  print(`  ${flat_only} ask for fields that no record of a Linux host carries`);
  print(`  ${wide} want the wide stream of opens`);
  print(`${skipped} skipped`);
  if (reasons.length > 0) {
    print(
      table(reasons, [
        { title: "COUNT", value: ({ count }) => `${count}` },
        { title: "WHY", value: ({ reason }) => visible(reason) },
        { title: "FOR INSTANCE", value: ({ example }) => visible(example) },
      ]).trimEnd(),
    );
  }
  if (copied === undefined) return;
  const { added, replaced, unchanged } = copied;
  print(`Files: ${added} added, ${replaced} replaced, ${unchanged} unchanged`);
}
