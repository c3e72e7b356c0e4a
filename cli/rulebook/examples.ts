import { FlatMatcher } from "../../agent/pipeline/flat_matcher.ts";
import type { ExampleEvent, RuleInfo, RuleSet } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";

/** An event of a rule that did not do what the rule says. */
export interface ExampleFailure {
  readonly kind: "must" | "must_not";
  /** Its place in that list, from 1. */
  readonly number: number;
  readonly event: ExampleEvent;
}

/** What a rule's own events came to. */
export interface ExampleVerdict {
  readonly rule: RuleInfo;
  readonly failures: readonly ExampleFailure[];
}

/**
 * Runs each rule's own events through all rules, by the engine.
 *
 * @param ruleSet Compiled rules.
 * @returns A verdict for each rule, in the order of the rule set.
 */
export async function judgeExamples(ruleSet: RuleSet): Promise<readonly ExampleVerdict[]> {
  const matcher = new FlatMatcher(await Engine.create(), ruleSet);
  return ruleSet.rules.map((rule) => {
    const fires = (event: ExampleEvent): boolean => matcher.match(event).rules.includes(rule);
    const wrong = (kind: ExampleFailure["kind"], events: readonly ExampleEvent[]) =>
      events.flatMap((event, i): ExampleFailure[] =>
        fires(event) === (kind === "must") ? [] : [{ kind, number: i + 1, event }]
      );
    const { must, mustNot } = rule.examples;
    return { rule, failures: [...wrong("must", must), ...wrong("must_not", mustNot)] };
  });
}
