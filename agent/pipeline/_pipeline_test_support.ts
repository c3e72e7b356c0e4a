import { compileRules, type RuleSet } from "../../common/sigma/mod.ts";

/** Id of the rule of a test, by its number. */
export function ruleId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

/** Compiles rules on exec, each from its lines below `detection`; all of them must load. */
export function execRules(...detections: readonly string[][]): RuleSet {
  const set = compileRules(detections.map((lines, i) => ({
    path: `rule_${i}.yml`,
    text: [
      `title: Rule ${i}`,
      `id: ${ruleId(i)}`,
      "logsource: { category: process_creation, product: linux }",
      "level: high",
      "detection:",
      ...lines.map((line) => `  ${line}`),
    ].join("\n"),
  })));
  const [rejection] = set.rejected;
  if (rejection !== undefined) throw new Error(`${rejection.path}: ${rejection.reason}`);
  return set;
}

/** Lines of a detection that asks for a part of the command line. */
export function commandLineHas(part: string): string[] {
  return [`s: { CommandLine|contains: ${JSON.stringify(part)} }`, "condition: s"];
}

/** Chunks as a stream gives them. */
export async function* chunksOf(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}
