import * as z from "zod";
import { checked, SCALAR, TEXTS } from "./about.ts";
import type { RuleDocument } from "./document.ts";
import { EXPANSION_VALUES_MAX } from "./limits.ts";
import { invalid, RuleProblem } from "./problem.ts";

/** Placeholders and their values, from one document. */
export type PipelineValues = ReadonlyMap<string, readonly string[]>;

const VALUE_PLACEHOLDERS = "value_placeholders";
const WILDCARD_PLACEHOLDERS = "wildcard_placeholders";

const PIPELINE = z.looseObject({
  vars: z.record(z.string(), TEXTS).default({}),
  transformations: z.array(z.looseObject({
    type: z.string(),
    include: z.array(SCALAR.transform(String)).optional(),
  })).default([]),
});

/**
 * Tells a pipeline document from a rule.
 *
 * @param value A document as plain values.
 */
export function isPipeline(value: object): boolean {
  return !Object.hasOwn(value, "detection") &&
    (Object.hasOwn(value, "vars") || Object.hasOwn(value, "transformations"));
}

/**
 * Reads a processing pipeline, as far as it gives values to placeholders: `vars`, which
 * `value_placeholders` puts in, and `wildcard_placeholders` with the names that it is for.
 *
 * @param document A document with `vars` or `transformations`.
 * @returns Values of each placeholder.
 * @throws {RuleProblem} when it does not hold, or asks for another transformation.
 */
export function parsePipeline(document: RuleDocument): PipelineValues {
  const { vars, transformations } = checked(document, PIPELINE);
  const values = new Map<string, readonly string[]>();
  for (const [name, list] of Object.entries(vars)) {
    if (list.length > EXPANSION_VALUES_MAX) {
      const reason = `Placeholder "${name}" has more than ${EXPANSION_VALUES_MAX} values; split it`;
      throw invalid(reason, document.position(["vars", name]));
    }
    values.set(name, list);
  }
  transformations.forEach(({ type, include }, i) => {
    const position = () => document.position(["transformations", i, "type"]);
    if (type === VALUE_PLACEHOLDERS) return;
    if (type !== WILDCARD_PLACEHOLDERS) {
      const feature = `transformation ${type}`;
      const reason = `${feature} is none of ${VALUE_PLACEHOLDERS}, ${WILDCARD_PLACEHOLDERS}`;
      throw new RuleProblem("RULE_UNSUPPORTED", reason, { position: position(), feature });
    }
    if (include === undefined) {
      throw invalid(`"${type}" needs "include", the names that it is for`, position());
    }
    for (const name of include) values.set(name, ["*"]);
  });
  return values;
}
