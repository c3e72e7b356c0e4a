import { FlatCorrelation } from "../../agent/pipeline/flat_correlation.ts";
import { statedTimeMs } from "../../agent/pipeline/flat_event.ts";
import { FlatMatcher } from "../../agent/pipeline/flat_matcher.ts";
import type {
  CorrelationRule,
  ExampleEvent,
  RuleInfo,
  RuleSet,
  SequenceExamples,
} from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";

/** Time between two events of a sequence that do not say theirs, in milliseconds. */
const STEP_MS = 1000;

/** An event, or a sequence, that did not do what its rule says. */
export interface ExampleFailure {
  readonly kind: "must" | "must_not";
  /** Its place in that list, from 1. */
  readonly number: number;
  /** One event for a rule, all of the sequence for a correlation. */
  readonly events: readonly ExampleEvent[];
}

/** What a rule's own events came to. */
export interface ExampleVerdict {
  readonly rule: Pick<RuleInfo, "id" | "title" | "path" | "line">;
  /** Events, or sequences, that must fire it. */
  readonly must: number;
  /** Those that must not. */
  readonly mustNot: number;
  readonly failures: readonly ExampleFailure[];
}

/**
 * Runs the events that rules bring along through all rules, by the engine, and the sequences of
 * correlations through the correlator.
 *
 * @param ruleSet Compiled rules.
 * @returns A verdict for each rule and then for each correlation, in the order of the rule set.
 */
export async function judgeExamples(ruleSet: RuleSet): Promise<readonly ExampleVerdict[]> {
  const matcher = new FlatMatcher(await Engine.create(), ruleSet);
  const rules = ruleSet.rules.map((rule) => {
    const { must, mustNot } = rule.examples;
    const sequences = {
      must: must.map((event) => [event]),
      mustNot: mustNot.map((event) => [event]),
    };
    return verdict(rule, {
      sequences,
      fired: ([event]) => event !== undefined && matcher.match(event).rules.includes(rule),
    });
  });
  const correlations = ruleSet.correlations.map((rule, index) =>
    verdict(rule, {
      sequences: rule.sequences,
      fired: (events) => fires(events, { index, ruleSet, matcher }),
    })
  );
  return [...rules, ...correlations];
}

interface Examples {
  readonly sequences: SequenceExamples;
  readonly fired: (events: readonly ExampleEvent[]) => boolean;
}

function verdict(
  rule: RuleInfo | CorrelationRule,
  { sequences: { must, mustNot }, fired }: Examples,
): ExampleVerdict {
  const wrong = (kind: ExampleFailure["kind"], sequences: SequenceExamples["must"]) =>
    sequences.flatMap((events, i): ExampleFailure[] =>
      fired(events) === (kind === "must") ? [] : [{ kind, number: i + 1, events }]
    );
  return {
    rule,
    must: must.length,
    mustNot: mustNot.length,
    failures: [...wrong("must", must), ...wrong("must_not", mustNot)],
  };
}

interface Judged {
  /** Place of the correlation in the rule set. */
  readonly index: number;
  readonly ruleSet: RuleSet;
  readonly matcher: FlatMatcher;
}

/** True when a correlation matches somewhere in a sequence. */
function fires(events: readonly ExampleEvent[], { index, ruleSet, matcher }: Judged): boolean {
  const correlation = new FlatCorrelation(ruleSet);
  const spanMs = ruleSet.correlations[index]?.timespanMs ?? STEP_MS;
  const stepMs = Math.min(STEP_MS, spanMs / (events.length + 1));
  return events.some((event, i) => {
    const moment = { event, timeMs: statedTimeMs(event) ?? i * stepMs, id: `event ${i + 1}` };
    return correlation.take(matcher.match(event).rules, moment)
      .some((match) => match.index === index);
  });
}
