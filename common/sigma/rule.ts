import { createHash } from "node:crypto";
import { z } from "zod";
import { parseDetection } from "./detection.ts";
import type { RuleDocument } from "./document.ts";
import type { Expression } from "./expression.ts";
import { RULE_ID_LENGTH_MAX, RULE_TITLE_LENGTH_MAX } from "./limits.ts";
import type { LogSource } from "./log_source.ts";
import { invalid, type Position, unsupported } from "./problem.ts";
import { type Level, SEVERITIES } from "./severity.ts";

export { type Level, SEVERITIES };

/** Level of a rule that names none. */
export const LEVEL_DEFAULT: Level = "medium";

/** Fields of an event, by Sigma name. `null` is the same as absent. */
export type ExampleEvent = Readonly<Record<string, string | null>>;

/** Events that a rule brings along. */
export interface RuleExamples {
  /** Events that must fire it. */
  readonly must: readonly ExampleEvent[];
  /** Events that must not fire it. */
  readonly mustNot: readonly ExampleEvent[];
}

/** A rule as it was written: what it says of itself, and what it asks of an event. */
export interface Rule {
  /** Its `id`, or a UUID from its content when it has none. */
  readonly id: string;
  /** True when the rule has no `id` of its own. */
  readonly idDerived: boolean;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly level: Level;
  /** 1 informational to 5 critical. */
  readonly severity: number;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsepositives: readonly string[];
  readonly logSource: LogSource;
  readonly examples: RuleExamples;
  readonly position: Position;
  readonly expression: Expression;
}

const SCALAR = z.union([z.string(), z.number(), z.bigint(), z.boolean()]);
const TEXT = SCALAR.nullish().transform((value) => String(value ?? ""));
const TEXTS = z.union([z.array(SCALAR), SCALAR]).nullish().transform((value): readonly string[] =>
  (Array.isArray(value) ? value : [value ?? []].flat()).map(String)
);
const SOURCE_NAME = z.string().min(1).transform((name) => name.toLowerCase()).nullish();
const EXAMPLES = z.array(
  z.record(z.string(), SCALAR.nullable().transform((value) => value === null ? null : `${value}`)),
).default([]);

const RULE = z.looseObject({
  title: z.string().min(1).max(RULE_TITLE_LENGTH_MAX),
  // deno-lint-ignore no-control-regex
  id: z.string().min(1).max(RULE_ID_LENGTH_MAX).regex(/^[^\x00-\x1f]*$/).optional(),
  description: TEXT,
  status: TEXT,
  level: z.enum(Object.keys(SEVERITIES) as Level[]).default(LEVEL_DEFAULT),
  tags: TEXTS,
  references: TEXTS,
  falsepositives: TEXTS,
  logsource: z.looseObject({
    category: SOURCE_NAME,
    product: SOURCE_NAME,
    service: SOURCE_NAME,
  }),
  detection: z.record(z.string(), z.unknown()),
  immune: z.looseObject({ must: EXAMPLES, must_not: EXAMPLES }).optional(),
});

/** Kinds of documents that Sigma has beside rules, by the key that tells them. */
const OTHER_DOCUMENTS: ReadonlyMap<string, string> = new Map([
  ["correlation", "correlation rule"],
  ["filter", "filter document"],
  ["action", "rule collection (action)"],
]);

/**
 * Reads a rule (Sigma rules specification 2.1).
 *
 * @param document A document of a rule file.
 * @returns The rule.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseRule(document: RuleDocument): Rule {
  const { value, start, position } = document;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("Document is no rule: it is not a map", start);
  }
  for (const [key, feature] of OTHER_DOCUMENTS) {
    if (Object.hasOwn(value, key)) throw unsupported(feature, position([key]));
  }
  const parsed = RULE.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = (issue?.path ?? []).map((step) => typeof step === "number" ? step : String(step));
    throw invalid(`Key "${path.join(".")}": ${issue?.message}`, position(path));
  }
  const { id, title, level, tags, references, falsepositives, immune } = parsed.data;
  const { description, status, logsource, detection } = parsed.data;
  return {
    id: id ?? derivedId(value),
    idDerived: id === undefined,
    title,
    description: description.trim(),
    status,
    level,
    severity: SEVERITIES[level],
    tags,
    references,
    falsepositives,
    logSource: {
      ...(logsource.category ? { category: logsource.category } : {}),
      ...(logsource.product ? { product: logsource.product } : {}),
      ...(logsource.service ? { service: logsource.service } : {}),
    },
    examples: { must: immune?.must ?? [], mustNot: immune?.must_not ?? [] },
    position: start,
    expression: parseDetection(detection, { locate: position }),
  };
}

/** A UUID of version 8 (RFC 9562, 5.8) from SHA-256 of the document's content. */
function derivedId(value: object): string {
  const text = JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? `${inner}` : inner);
  const bytes = createHash("sha256").update(`sigma rule\n${text}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0F) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3F) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
