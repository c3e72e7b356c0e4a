import {
  compileRules,
  describeRejection,
  readRuleSources,
  type RuleSource,
} from "../../common/sigma/mod.ts";
import { answerApart } from "../apart/answer.ts";
import type { CompiledRules } from "./messages.ts";

/** The Worker's side: takes the paths, and answers once. */
export function serveRules(): void {
  answerApart(compile);
}

async function compile(paths: readonly string[]): Promise<CompiledRules> {
  const sources: RuleSource[] = [];
  for (const path of paths) sources.push(...await readRuleSources(path));
  const { rejected, image, hash, rules, correlations, fields, logSources, roles, interest } =
    compileRules(sources);
  return {
    image,
    hash,
    rules,
    correlations,
    fields,
    logSources,
    roles,
    rejected: rejected.map(describeRejection),
    interest,
  };
}
