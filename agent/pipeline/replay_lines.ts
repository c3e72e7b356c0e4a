import { ImmuneError } from "../../common/config/errors.ts";
import { RECORD_BYTES_MAX } from "../../common/record/mod.ts";
import {
  type CorrelationRule,
  isJsonObject,
  type JsonObject,
  type RuleInfo,
  type RuleSet,
} from "../../common/sigma/mod.ts";
import { type CorrelationMatch, silentMembers } from "../../common/sigma/correlation/mod.ts";
import { linesOf } from "../../common/text/lines.ts";
import {
  type AlertCorrelation,
  alertCorrelation,
  type AlertThreat,
} from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { alertThreat, indicatorRule } from "../indicators/alert.ts";
import { flatMatches } from "../indicators/flat.ts";
import { IndicatorLookup } from "../indicators/lookup.ts";
import type { IndicatorMatch } from "../indicators/match.ts";
import type { LoadedIndicators } from "../indicators/messages.ts";
import type { Finding } from "./alert.ts";
import { eventTimeMs } from "./flat_event.ts";
import { FlatCorrelation } from "./flat_correlation.ts";
import { FlatMatcher } from "./flat_matcher.ts";

/** Longest line of a replayed file, in bytes. */
export const LINE_BYTES_MAX = 1024 * 1024;

const CUT_NOTICE =
  `Event is longer than a record of ${RECORD_BYTES_MAX} bytes: rules saw the start of its values`;

/** A rule that fired on a replayed event. */
export interface ReplayMatch {
  /** Line of the event, or number of the record in a recording; from 1. */
  readonly line: number;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly rule: { readonly id: string; readonly title: string; readonly level: string };
  /** What was found, when it is a correlation that the event completed. */
  readonly correlation?: AlertCorrelation;
  /** Who lists the value, when it is an indicator. */
  readonly threat?: AlertThreat;
}

/** A rule that fired, or an indicator, and on what. */
export interface ReplayFinding {
  readonly rule: Finding["rule"];
  /** Absent for a recording: its event is a record. */
  readonly event?: JsonObject;
  /** For a correlation that the event completed. */
  readonly correlation?: CorrelationMatch;
  /** For an indicator. */
  readonly indicator?: IndicatorMatch;
  /** Only a member of a correlation: no alert of its own. */
  readonly isSilent: boolean;
}

/** How a replay is done. */
export interface ReplayOptions {
  readonly ruleSet: RuleSet;
  /** Indicators to look for. Default: none. */
  readonly indicators?: LoadedIndicators | undefined;
  /** `found`: the rule, and the event where it was a line. */
  readonly onMatch: (match: ReplayMatch, found: ReplayFinding) => void;
  /** Called for each line that is no event; the replay goes on. */
  readonly onProblem: (line: number, problem: string) => void;
  /** Called for each event that was matched only in part; that is no failure. */
  readonly onNotice?: (line: number, notice: string) => void;
}

/** What a replay came to. */
export interface ReplaySummary {
  readonly events: number;
  readonly matches: number;
  readonly problems: number;
}

/**
 * Runs NDJSON through rules, line by line.
 *
 * @param chunks Its bytes.
 * @param options Rules, and where matches and problems go.
 * @throws {ImmuneError} what reading the chunks throws.
 */
export async function replayLines(
  chunks: AsyncIterable<Uint8Array>,
  options: ReplayOptions,
): Promise<ReplaySummary> {
  const { ruleSet, onMatch } = options;
  const engine = await Engine.create();
  const matcher = new FlatMatcher(engine, ruleSet);
  const lookup = lookupOf(engine, options.indicators);
  const correlation = new FlatCorrelation(ruleSet);
  const silent = silentIn(ruleSet);
  const summary = { events: 0, matches: 0, problems: 0 };
  let line = 0;
  for await (const text of linesOf(chunks, { bytesMax: LINE_BYTES_MAX })) {
    line++;
    if (typeof text === "string" && text.trim() === "") continue;
    try {
      const event = parseEvent(text);
      const { rules, truncated } = matcher.match(event);
      if (truncated) options.onNotice?.(line, CUT_NOTICE);
      const timeMs = eventTimeMs(event, line);
      const match = { line, time: new Date(timeMs).toISOString() };
      const completed = correlation.take(rules, { event, timeMs, id: `line ${line}` });
      summary.matches += rules.length + completed.length;
      for (const rule of rules) {
        onMatch({ ...match, rule: ruleOf(rule) }, { rule, event, isSilent: silent.has(rule) });
      }
      for (const found of completed) {
        const { rule } = found;
        onMatch(
          { ...match, rule: ruleOf(rule), correlation: alertCorrelation(found, ruleSet) },
          { rule, event, correlation: found, isSilent: silent.has(rule) },
        );
      }
      for (const found of flatMatches(event, { lookup, nowMs: Date.now() })) {
        summary.matches++;
        reportIndicator(found, { match, event, onMatch });
      }
      summary.events++;
    } catch (error) {
      if (!(error instanceof ImmuneError) || error.code !== "INPUT_MALFORMED") throw error;
      summary.problems++;
      options.onProblem(line, error.message);
    }
  }
  return summary;
}

/** Indicators of a replay in force in its engine. */
export function lookupOf(
  engine: Engine,
  indicators: LoadedIndicators | undefined,
): IndicatorLookup {
  const lookup = new IndicatorLookup(engine);
  if (indicators !== undefined) lookup.use(indicators);
  return lookup;
}

/** Hands on what an indicator found. */
export function reportIndicator(
  indicator: IndicatorMatch,
  { match, event, onMatch }: {
    readonly match: Pick<ReplayMatch, "line" | "time">;
    readonly event?: JsonObject;
    readonly onMatch: ReplayOptions["onMatch"];
  },
): void {
  const rule = indicatorRule(indicator);
  onMatch({ ...match, rule: ruleOf(rule), threat: alertThreat(indicator) }, {
    rule,
    indicator,
    ...(event === undefined ? {} : { event }),
    isSilent: false,
  });
}

/** Rules and correlations that are members alone. */
export function silentIn(
  { rules, correlations }: RuleSet,
): ReadonlySet<RuleInfo | CorrelationRule> {
  const silent = silentMembers(correlations);
  return new Set([
    ...rules.filter((_, place) => silent.rules.has(place)),
    ...correlations.filter((_, place) => silent.correlations.has(place)),
  ]);
}

/** What a match says of its rule. */
export function ruleOf({ id, title, level }: Finding["rule"]): ReplayMatch["rule"] {
  return { id, title, level };
}

function parseEvent(text: string | undefined): JsonObject {
  if (text === undefined) {
    throw new ImmuneError("INPUT_MALFORMED", `Line is longer than ${LINE_BYTES_MAX} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("INPUT_MALFORMED", `Line is no JSON object: ${why}`, { cause });
  }
  if (!isJsonObject(value)) throw new ImmuneError("INPUT_MALFORMED", "Line is no JSON object");
  return value;
}
