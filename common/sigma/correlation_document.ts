import * as z from "zod";
import { ABOUT, type About, aboutOf, checked, SCALAR } from "./about.ts";
import { type Condition, ConditionError, parseCondition } from "./condition.ts";
import type { Bound, BoundOp, CorrelationType, SequenceExamples } from "./correlation_rule.ts";
import type { RuleDocument, Step } from "./document.ts";
import {
  CORRELATION_FIELDS_MAX,
  CORRELATION_MEMBERS_MAX,
  FIELD_NAME_LENGTH_MAX,
  RULE_ID_LENGTH_MAX,
} from "./limits.ts";
import { invalid, type RuleProblem } from "./problem.ts";
import { EXAMPLES } from "./rule.ts";
import { parseTimespan } from "./timespan.ts";

/** A correlation as it was written, its references not yet looked up. */
export interface CorrelationDraft extends About {
  readonly document: RuleDocument;
  readonly type: CorrelationType;
  /** Ids or names of its members. */
  readonly memberNames: readonly string[];
  readonly groupBy: readonly string[];
  readonly timespanMs: number;
  /** Field by reference, by alias. */
  readonly aliases: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Bounds on its value; or a condition over its members' references. */
  readonly condition: readonly Bound[] | Condition;
  readonly valueNames: readonly string[];
  readonly percentile: number | undefined;
  readonly generate: boolean;
  readonly scope: "host" | "fleet";
  readonly sequences: SequenceExamples;
}

const TYPES: Readonly<Record<CorrelationType, { readonly needs: "nothing" | "bounds" | "field" }>> =
  {
    event_count: { needs: "bounds" },
    value_count: { needs: "field" },
    temporal: { needs: "nothing" },
    temporal_ordered: { needs: "nothing" },
    value_sum: { needs: "field" },
    value_avg: { needs: "field" },
    value_percentile: { needs: "field" },
    value_median: { needs: "field" },
    first_seen: { needs: "nothing" },
  };
const BOUND_OPS: readonly BoundOp[] = ["gt", "gte", "lt", "lte", "eq", "neq"];

const REFERENCE = SCALAR.transform(String).pipe(z.string().min(1).max(RULE_ID_LENGTH_MAX));
const FIELD = z.string().min(1).max(FIELD_NAME_LENGTH_MAX);
/** One or a list of them. */
function listOf<T extends z.ZodType<string>>(one: T, most: number): z.ZodType<readonly string[]> {
  return z.union([z.array(one).max(most), one.transform((single) => [single])]);
}
const NUMBER = z.union([z.number(), z.bigint().transform(Number)]);
const BOUNDS = z.strictObject({
  ...Object.fromEntries(BOUND_OPS.map((op) => [op, NUMBER.optional()])) as Record<
    BoundOp,
    z.ZodOptional<typeof NUMBER>
  >,
  field: listOf(FIELD, CORRELATION_FIELDS_MAX).optional(),
  percentile: NUMBER.pipe(z.number().min(0).max(100)).optional(),
});
const SEQUENCES = z.array(EXAMPLES).default([]);

const CORRELATION = ABOUT.extend({
  correlation: z.strictObject({
    type: z.enum(Object.keys(TYPES) as CorrelationType[]),
    rules: listOf(REFERENCE, CORRELATION_MEMBERS_MAX).nullish(),
    "group-by": listOf(FIELD, CORRELATION_FIELDS_MAX).nullish(),
    timespan: z.string(),
    aliases: z.record(FIELD, z.record(z.string(), FIELD)).nullish(),
    condition: z.union([z.string(), BOUNDS], {
      error: `takes ${BOUND_OPS.join(", ")}, field, percentile; or a text over rules`,
    }).nullish(),
    generate: z.boolean().optional(),
  }),
  generate: z.boolean().optional(),
  immune: z.looseObject({
    scope: z.enum(["host", "fleet"]).default("host"),
    must_sequences: SEQUENCES,
    must_not_sequences: SEQUENCES,
  }).optional(),
});

type Keys = z.output<typeof CORRELATION>["correlation"];
type Wrong = (reason: string, ...path: readonly Step[]) => RuleProblem;

/**
 * Reads a correlation document (Sigma correlation rules specification 2.1).
 *
 * @param document A document with the key `correlation`.
 * @returns The correlation; its references are still names.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseCorrelation(document: RuleDocument): CorrelationDraft {
  const parsed = checked(document, CORRELATION);
  const { correlation: keys, immune } = parsed;
  const wrong: Wrong = (reason, ...path) =>
    invalid(reason, document.position(["correlation", ...path]));
  const timespanMs = parseTimespan(keys.timespan);
  if (timespanMs === undefined) {
    const reason = `Time span "${keys.timespan}" is none; write 30s, 5m, 12h or up to 366d`;
    throw wrong(reason, "timespan");
  }
  const { bounds, expression } = conditionOf(keys, wrong);
  const memberNames = keys.rules ?? [...namesIn(expression)];
  if (memberNames.length === 0) throw wrong(`Correlation of no rules; name some in "rules"`);
  const { condition } = keys;
  const hasBounds = typeof condition === "object" && condition !== null;
  const valueNames = hasBounds ? condition.field ?? [] : [];
  refuseMissing({ keys, bounds, valueNames, expression }, wrong);
  return {
    ...aboutOf(document, parsed),
    document,
    type: keys.type,
    memberNames,
    groupBy: keys["group-by"] ?? [],
    timespanMs,
    aliases: new Map(Object.entries(keys.aliases ?? {})),
    condition: expression ?? (bounds.length > 0 ? bounds : defaultBounds(keys.type, memberNames)),
    valueNames,
    percentile: hasBounds ? condition.percentile : undefined,
    generate: keys.generate ?? parsed.generate ?? false,
    scope: immune?.scope ?? "host",
    sequences: {
      must: immune?.must_sequences ?? [],
      mustNot: immune?.must_not_sequences ?? [],
    },
  };
}

/** Without a condition every member has to be hit. */
function defaultBounds(type: CorrelationType, memberNames: readonly string[]): readonly Bound[] {
  return type === "first_seen" ? [] : [{ op: "gte", number: memberNames.length }];
}

function conditionOf(
  { condition }: Keys,
  wrong: Wrong,
): { readonly bounds: readonly Bound[]; readonly expression: Condition | undefined } {
  if (typeof condition !== "string") {
    const bounds = BOUND_OPS.flatMap((op): Bound[] => {
      const number = condition?.[op];
      return number === undefined ? [] : [{ op, number }];
    });
    return { bounds, expression: undefined };
  }
  try {
    return { bounds: [], expression: parseCondition(condition) };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    const place = `at character ${error.at + 1} of "${condition}"`;
    throw wrong(`${error.message} (${place})`, "condition");
  }
}

/** What a type needs and is not there, or has and does not take. */
function refuseMissing(
  { keys, bounds, valueNames, expression }: {
    readonly keys: Keys;
    readonly bounds: readonly Bound[];
    readonly valueNames: readonly string[];
    readonly expression: Condition | undefined;
  },
  wrong: Wrong,
): void {
  const { type, condition } = keys;
  const { needs } = TYPES[type];
  const refuse = (what: string): RuleProblem => wrong(`Correlation "${type}" ${what}`, "condition");
  if (type === "first_seen" && condition !== undefined && condition !== null) {
    throw refuse("takes no condition");
  }
  if (expression !== undefined) {
    if (needs !== "nothing") throw refuse("takes no condition over rules; bound its value");
    return;
  }
  if (bounds.length === 0 && (needs !== "nothing" || (condition ?? undefined) !== undefined)) {
    throw refuse(`needs a bound; give its condition one of ${BOUND_OPS.join(", ")}`);
  }
  if (needs === "field" && valueNames.length === 0) throw refuse(`needs "field" in its condition`);
  if (needs !== "field" && valueNames.length > 0) throw refuse(`takes no "field"`);
  if (valueNames.length > 1 && type !== "value_count") throw refuse(`takes one "field"`);
  const hasPercentile = typeof condition === "object" && condition?.percentile !== undefined;
  if (hasPercentile && type !== "value_percentile") throw refuse(`takes no "percentile"`);
}

/** Names in a condition, from left to right, each once. */
function namesIn(condition: Condition | undefined): ReadonlySet<string> {
  if (condition === undefined) return new Set();
  switch (condition.kind) {
    case "name":
      return new Set([condition.name]);
    case "of":
      return new Set();
    case "not":
      return namesIn(condition.of);
    case "and":
    case "or":
      return new Set(condition.of.flatMap((inner) => [...namesIn(inner)]));
  }
}
