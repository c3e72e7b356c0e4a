import { createHash } from "node:crypto";
import * as z from "zod";
import type { RuleDocument } from "./document.ts";
import { RELATED_MAX, RULE_ID_LENGTH_MAX, RULE_TITLE_LENGTH_MAX } from "./limits.ts";
import { invalid } from "./problem.ts";
import { type Level, SEVERITIES } from "./severity.ts";

/** Level of a rule that names none. */
export const LEVEL_DEFAULT: Level = "medium";

/** A rule that a rule stands in some relation to. */
export interface RelatedRule {
  readonly id: string;
  /** `derived`, `obsolete`, `merged`, `renamed`, `similar` or what the rule says. */
  readonly type: string;
}

/** What a rule, a correlation or a filter says of itself. */
export interface About {
  /** Its `id`, or a UUID from its content when it has none. */
  readonly id: string;
  /** True when it has no `id` of its own. */
  readonly idDerived: boolean;
  /** What correlations and filters may call it beside its id; empty without one. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly level: Level;
  /** 1 informational to 5 critical. */
  readonly severity: number;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsepositives: readonly string[];
  readonly related: readonly RelatedRule[];
}

/** One value of a document. */
export const SCALAR = z.union([z.string(), z.number(), z.bigint(), z.boolean()]);
const TEXT = SCALAR.nullish().transform((value) => String(value ?? ""));
/** A value or a list of them, as texts. */
export const TEXTS = z.union([z.array(SCALAR), SCALAR]).nullish()
  .transform((value): readonly string[] =>
    (Array.isArray(value) ? value : [value ?? []].flat()).map(String)
  );
// deno-lint-ignore no-control-regex
const NAME = z.string().min(1).max(RULE_ID_LENGTH_MAX).regex(/^[^\x00-\x1f]*$/);

/** Keys of every document. */
export const ABOUT = z.looseObject({
  title: z.string().min(1).max(RULE_TITLE_LENGTH_MAX),
  id: NAME.optional(),
  name: NAME.optional(),
  description: TEXT,
  status: TEXT,
  level: z.enum(Object.keys(SEVERITIES) as Level[]).default(LEVEL_DEFAULT),
  tags: TEXTS,
  references: TEXTS,
  falsepositives: TEXTS,
  related: z.array(z.looseObject({ id: SCALAR.transform(String), type: TEXT })).max(RELATED_MAX)
    .nullish(),
});

/**
 * Checks a document against a schema.
 *
 * @param document A document of a rule file; a map.
 * @param schema What it must be like.
 * @returns Its values.
 * @throws {RuleProblem} that names the first key that does not hold.
 */
export function checked<T extends z.ZodType>(document: RuleDocument, schema: T): z.output<T> {
  const parsed = schema.safeParse(document.value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map((step) => typeof step === "number" ? step : String(step));
  throw invalid(`Key "${path.join(".")}": ${issue?.message}`, document.position(path));
}

/**
 * What a document says of itself.
 *
 * @param document The document.
 * @param keys Its values, checked.
 * @returns Id, title and so on.
 */
export function aboutOf({ value }: RuleDocument, keys: z.output<typeof ABOUT>): About {
  const { id, name = "", title, description, status, level, related } = keys;
  return {
    id: id ?? derivedId(value),
    idDerived: id === undefined,
    name,
    title,
    description: description.trim(),
    status,
    level,
    severity: SEVERITIES[level],
    tags: keys.tags,
    references: keys.references,
    falsepositives: keys.falsepositives,
    related: (related ?? []).map(({ id, type }) => ({ id, type })),
  };
}

/** A UUID of version 8 (RFC 9562, 5.8) from SHA-256 of the document's content. */
function derivedId(value: unknown): string {
  const text = JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? `${inner}` : inner);
  const bytes = createHash("sha256").update(`sigma rule\n${text}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0F) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3F) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
