import { parseDocuments, type RuleDocument } from "./document.ts";
import { testsOf } from "./expression.ts";
import { standardField } from "./fields.ts";
import { fitImage } from "./fit.ts";
import { IMAGE_BYTES_MAX } from "./image_layout.ts";
import { type Interest, interestOf } from "./interest.ts";
import { applies, type LogSource } from "./log_source.ts";
import { Plan } from "./plan.ts";
import { invalid, RuleProblem, type RuleProblemCode } from "./problem.ts";
import { parseRule, type Rule } from "./rule.ts";

/** Text of a rule file. */
export interface RuleSource {
  /** Name for messages: the file's path. */
  readonly path: string;
  readonly text: string;
  /** Why the file could not be read in full; it is then rejected as a whole. */
  readonly problem?: string;
}

/** What a loaded rule says of itself. Its place in `RuleSet.rules` is its index in the image. */
export interface RuleInfo extends Omit<Rule, "expression" | "position"> {
  readonly path: string;
  /** Line where its document starts, from 1. */
  readonly line: number;
  /** Fields that it tests and no record carries: only flat events can have them. */
  readonly unfed: readonly string[];
}

/** A rule, or a file, that did not load. */
export interface RuleRejection {
  readonly path: string;
  readonly id?: string;
  readonly title?: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly code: RuleProblemCode;
  /** One line: what is wrong and what to do. */
  readonly reason: string;
  /** Name of the feature that this version lacks, for `RULE_UNSUPPORTED`. */
  readonly feature?: string;
}

/** Rules, compiled. */
export interface RuleSet {
  /** Rule image for the engine. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the image, 64 lower-case hexadecimal digits. */
  readonly hash: string;
  /** Loaded rules; index = rule index in the image. */
  readonly rules: readonly RuleInfo[];
  readonly rejected: readonly RuleRejection[];
  /** Names of the tested fields; index = field index in the image. */
  readonly fields: readonly string[];
  /** Distinct log sources; index = bit in a flat event's bit map. */
  readonly logSources: readonly LogSource[];
  /** What the rules need from the kernel. */
  readonly interest: Interest;
  /**
   * Bit map of the log sources that apply to an event.
   *
   * @param logSource What the event claims; names in any case.
   * @returns Bit n & 7 of byte n >> 3 is set when rules with log source n are to be tried.
   */
  readonly logSourceBits: (logSource: LogSource) => Uint8Array;
}

/**
 * Compiles rules. A rule that cannot load is named in `rejected`, the others load.
 *
 * @param sources Rule files, in the order that decides which of two equal ids stays, and which
 * rules stay when not all fit in an image.
 * @returns The rule set.
 */
export function compileRules(sources: readonly RuleSource[]): RuleSet {
  const checked = new Plan();
  const loaded: Loaded[] = [];
  const rejected: RuleRejection[] = [];
  const placeById = new Map<string, string>();
  for (const source of sources) {
    for (const document of documentsOf(source)) {
      try {
        if (document instanceof RuleProblem) throw document;
        const rule = parseRule(document);
        refuseDuplicate(rule, placeById);
        checked.add(rule);
        placeById.set(rule.id, `${source.path}:${rule.position.line}`);
        loaded.push({ rule, source, document });
      } catch (error) {
        if (!(error instanceof RuleProblem)) throw error;
        rejected.push(rejectionOf(error, { source, document }));
      }
    }
  }
  const { plan, bytes, hash } = fitImage(loaded.map(({ rule }) => rule));
  const kept = loaded.slice(0, plan.rules.length);
  for (const { rule, ...from } of loaded.slice(plan.rules.length)) {
    rejected.push(rejectionOf(tooLarge(rule), from));
  }
  const { logSources } = plan;
  return {
    image: bytes,
    hash,
    rules: kept.map(({ rule, source }) => infoOf(rule, source)),
    rejected,
    fields: plan.fields.map(({ name }) => name),
    logSources,
    interest: interestOf(kept.map(({ rule }) => rule)),
    logSourceBits: (logSource) => bitsOf(logSources, logSource),
  };
}

/**
 * One line that says why a rule did not load.
 *
 * @param rejection Entry of `RuleSet.rejected`.
 * @returns Place, rule and reason.
 */
export function describeRejection(rejection: RuleRejection): string {
  const { path, line, column, id, title, reason, code } = rejection;
  const name = title ?? id;
  const rule = name === undefined ? "rule" : `rule "${name}"${id && title ? ` (${id})` : ""}`;
  const text = `${path}:${line}:${column}: Cannot load ${rule}: ${reason} [${code}]`;
  return text.replaceAll(/\p{Cc}+/gu, " ");
}

interface Loaded {
  readonly rule: Rule;
  readonly source: RuleSource;
  readonly document: RuleDocument;
}

function tooLarge({ position }: Rule): RuleProblem {
  const reason = `Rules up to this one exceed an image of ${IMAGE_BYTES_MAX} bytes; load fewer`;
  return new RuleProblem("RULE_SET_TOO_LARGE", reason, { position });
}

function documentsOf({ text, problem }: RuleSource): readonly (RuleDocument | RuleProblem)[] {
  if (problem !== undefined) return [invalid(problem, { line: 1, column: 1 })];
  return parseDocuments(text);
}

function refuseDuplicate({ id, position }: Rule, placeById: ReadonlyMap<string, string>): void {
  const first = placeById.get(id);
  if (first === undefined) return;
  throw invalid(`Id "${id}" is already that of the rule at ${first}; give it another`, position);
}

function infoOf({ expression, position, ...about }: Rule, { path }: RuleSource): RuleInfo {
  const fields = new Set([...testsOf(expression)].map(({ field }) => field));
  const unfed = [...fields].filter((field) => standardField(field) === undefined);
  return { ...about, path, line: position.line, unfed };
}

function rejectionOf(
  problem: RuleProblem,
  { source, document }: {
    readonly source: RuleSource;
    readonly document: RuleDocument | RuleProblem;
  },
): RuleRejection {
  const value = document instanceof RuleProblem ? undefined : document.value;
  const text = (key: "id" | "title"): string | undefined => {
    if (typeof value !== "object" || value === null || !(key in value)) return undefined;
    const found: unknown = Reflect.get(value, key);
    return typeof found === "string" ? found : undefined;
  };
  const id = text("id");
  const title = text("title");
  return {
    path: source.path,
    ...(id === undefined ? {} : { id }),
    ...(title === undefined ? {} : { title }),
    ...problem.position,
    code: problem.code,
    reason: problem.message,
    ...(problem.feature === undefined ? {} : { feature: problem.feature }),
  };
}

function bitsOf(logSources: readonly LogSource[], claimed: LogSource): Uint8Array {
  const event: LogSource = Object.fromEntries(
    Object.entries(claimed).map(([key, name]) => [key, name.toLowerCase()]),
  );
  const bits = new Uint8Array(Math.ceil(logSources.length / 8));
  logSources.forEach((logSource, n) => {
    if (applies(logSource, event)) bits[n >> 3] = (bits[n >> 3] ?? 0) | 1 << (n & 7);
  });
  return bits;
}
