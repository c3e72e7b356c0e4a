import { compileRules, type RuleSet } from "../../common/sigma/mod.ts";
import type { Engine } from "./engine.ts";

/** A rule of a test, in short. */
export interface TestRule {
  readonly category: string;
  /** Lines of YAML below `detection`. */
  readonly detection: readonly string[];
}

/** Compiles rules and insists that all of them load. */
export function compile(...rules: readonly TestRule[]): RuleSet {
  const set = compileRules(rules.map(({ category, detection }, i) => ({
    path: `rule_${i}.yml`,
    text: [
      `title: Rule ${i}`,
      `id: 00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
      `logsource: { category: ${category}, product: linux }`,
      "level: high",
      "detection:",
      ...detection.map((line) => `  ${line}`),
    ].join("\n"),
  })));
  const [rejection] = set.rejected;
  if (rejection !== undefined) throw new Error(`${rejection.path}: ${rejection.reason}`);
  return set;
}

/** Writes records to the batch, one behind the other; returns their offsets and the end. */
export function fill(engine: Engine, records: readonly Uint8Array[]): readonly number[] {
  let at = 0;
  const offsets = records.map((record) => {
    engine.batch.set(record, at);
    at += record.length;
    return at - record.length;
  });
  return [...offsets, at];
}

/** Scans records; returns the rules that fired on each. */
export function scanAll(engine: Engine, records: readonly Uint8Array[]): readonly number[][] {
  const offsets = fill(engine, records);
  const fired: number[][] = records.map(() => []);
  for (const hit of engine.scan(offsets.at(-1) ?? 0)) {
    fired[offsets.indexOf(hit.offset)]?.push(hit.rule);
  }
  return fired.map((rules) => rules.sort((a, b) => a - b));
}

/** Bytes as text. */
export function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
