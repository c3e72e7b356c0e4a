import { askApart } from "../apart/ask.ts";
import { type CompiledRules, RULES_WORKER } from "./messages.ts";

/**
 * Reads and compiles rules in a Worker that ends with it: parsers, and automata in the making, take
 * much memory.
 *
 * @param paths Rule files and folders, in their order; none gives an empty rule set.
 * @returns The rules.
 * @throws {ImmuneError} `FILE_UNREADABLE` when a path cannot be read.
 */
export function compileApart(paths: readonly string[]): Promise<CompiledRules> {
  return askApart<CompiledRules>(RULES_WORKER, paths);
}
