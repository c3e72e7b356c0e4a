import type { Command } from "commander";
import { addIndicatorsExpire } from "./indicators_expire.ts";
import { addIndicatorsImport } from "./indicators_import.ts";
import { addIndicatorsList } from "./indicators_list.ts";

/** `immune indicators` */
export function addIndicators(program: Command, exit: (code: number) => void): void {
  const indicators = program.command("indicators")
    .description("hashes, paths, addresses and domains that are looked for on this host");
  addIndicatorsImport(indicators, exit);
  addIndicatorsList(indicators);
  addIndicatorsExpire(indicators);
}
