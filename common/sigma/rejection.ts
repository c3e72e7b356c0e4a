import type { ReadDocument } from "./collection.ts";
import { RuleProblem, type RuleProblemCode } from "./problem.ts";

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

/**
 * Names a problem's file and rule.
 *
 * @param problem What keeps the rule from loading.
 * @param from Its file, and its document as far as it was read.
 * @returns The rejection.
 */
export function rejectionOf(
  problem: RuleProblem,
  from: { readonly path: string; readonly document: ReadDocument },
): RuleRejection {
  const id = keyOf(from.document, "id");
  const title = keyOf(from.document, "title");
  return {
    path: from.path,
    ...(id === undefined ? {} : { id }),
    ...(title === undefined ? {} : { title }),
    ...problem.position,
    code: problem.code,
    reason: problem.message,
    ...(problem.feature === undefined ? {} : { feature: problem.feature }),
  };
}

/**
 * A text of a document that may not be sound.
 *
 * @param document The document, as far as it was read.
 * @param key Key at its top.
 * @returns The text; `undefined` when there is none.
 */
export function keyOf(document: ReadDocument, key: "id" | "name" | "title"): string | undefined {
  const value = document instanceof RuleProblem ? undefined : document.value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === "string" ? found : undefined;
}
