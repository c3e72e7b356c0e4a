import { ImmuneError } from "../../common/config/errors.ts";
import {
  compileRules,
  describeRejection,
  readRuleSources,
  type RuleSource,
} from "../../common/sigma/mod.ts";
import type { CompiledRules, RulesReport } from "./messages.ts";

/** The Worker's side: takes one message, the paths, and answers once. */
export function serveRules(): void {
  self.onmessage = async ({ data }: MessageEvent<readonly string[]>) => {
    report(await compiled(data));
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

async function compiled(paths: readonly string[]): Promise<RulesReport> {
  try {
    return { type: "compiled", compiled: await compile(paths) };
  } catch (error) {
    return {
      type: "failed",
      code: error instanceof ImmuneError ? error.code : "INTERNAL",
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

async function compile(paths: readonly string[]): Promise<CompiledRules> {
  const sources: RuleSource[] = [];
  for (const path of paths) sources.push(...await readRuleSources(path));
  const { rejected, image, hash, rules, correlations, roles, interest } = compileRules(sources);
  return {
    image,
    hash,
    rules,
    correlations,
    roles,
    rejected: rejected.map(describeRejection),
    interest,
  };
}

function report(message: RulesReport): void {
  // deno-lint-ignore no-explicit-any -- the worker's own global scope, which lib "deno.window" hides
  (self as any).postMessage(message);
}
