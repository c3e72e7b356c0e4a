import type { Criterion } from "./criterion.ts";
import type { Step } from "./document.ts";
import { and, type Expression, or } from "./expression.ts";
import { VALUE_BYTES_MAX } from "./limits.ts";
import { modifier, MODIFIER_NAMES, type ModifierEffect } from "./modifiers.ts";
import { invalid, type Position, unsupported } from "./problem.ts";
import { parseValue, type Pattern } from "./value.ts";

/** Where the steps of a document stand. */
export type Locate = (path: readonly Step[]) => Position;

const ENCODER = new TextEncoder();
/** NUL ends no value and 0x01, 0x02 are the wildcards of the image. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x02]/;

/**
 * Reads one named selection: a map (all of its tests), or a list of maps (any of them).
 *
 * @param value The selection as plain values.
 * @param path Steps to it, for the places of problems.
 * @param options `locate`: the document's places.
 * @returns What it asks of an event.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseSelection(
  value: unknown,
  path: readonly Step[],
  options: { readonly locate: Locate },
): Expression {
  const { locate } = options;
  const entries = Array.isArray(value) ? value : [value];
  if (entries.length === 0 || value === null) {
    throw invalid(`Selection "${path.at(-1)}" is empty`, locate(path));
  }
  return or(entries.map((entry: unknown, i) => {
    const place = Array.isArray(value) ? [...path, i] : path;
    if (isScalar(entry) && entry !== null) throw unsupported("keyword search", locate(place));
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
      throw invalid(
        `Selection "${path.at(-1)}" is neither a map nor a list of maps`,
        locate(place),
      );
    }
    return parseMap(entry, place, locate);
  }));
}

function parseMap(map: object, path: readonly Step[], locate: Locate): Expression {
  const tests = Object.entries(map).map(([key, value]: [string, unknown]) =>
    parseTest(key, value, locate([...path, key]))
  );
  if (tests.length === 0) throw invalid(`Selection "${path.at(-1)}" is empty`, locate(path));
  return and(tests);
}

function parseTest(key: string, value: unknown, position: Position): Expression {
  const [field = "", ...names] = key.split("|");
  if (field === "") throw unsupported("keyword search", position);
  const effects = names.map((name) => effectOf(name, position));
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) throw invalid(`Field "${field}" has an empty list of values`, position);
  const all = effects.some(({ kind }) => kind === "all");
  const tests = values.map((single): Expression => ({
    kind: "test",
    field,
    criterion: criterionOf(single, effects, { field, position }),
  }));
  return all ? and(tests) : or(tests);
}

function effectOf(name: string, position: Position): ModifierEffect {
  const effect = modifier(name);
  if (effect === "unsupported") throw unsupported(`modifier ${name}`, position);
  if (effect === "unknown") {
    const known = MODIFIER_NAMES.join(", ");
    throw invalid(`Unknown modifier "${name}"; this version has ${known}`, position);
  }
  return effect;
}

function criterionOf(
  value: unknown,
  effects: readonly ModifierEffect[],
  { field, position }: { readonly field: string; readonly position: Position },
): Criterion {
  if (!isScalar(value)) {
    throw invalid(`Field "${field}" has a value that is no text, number or list of them`, position);
  }
  if (value === null) {
    if (effects.length > 0) throw invalid(`Field "${field}" has a modifier on null`, position);
    return { type: "absent" };
  }
  const text = String(value);
  if (ENCODER.encode(text).length > VALUE_BYTES_MAX) {
    throw invalid(`Field "${field}" has a value of over ${VALUE_BYTES_MAX} bytes`, position);
  }
  if (CONTROL.test(text)) {
    throw invalid(`Field "${field}" has a value with a byte of 0x00 to 0x02`, position);
  }
  const start: Pattern = typeof value === "string" ? parseValue(text) : [text];
  const pattern = effects.reduce<Pattern>(
    (changed, effect) => effect.kind === "value" ? effect.apply(changed) : changed,
    start,
  );
  return { type: "pattern", pattern, cased: false };
}

function isScalar(value: unknown): value is string | number | bigint | boolean | null {
  return value === null || ["string", "number", "bigint", "boolean"].includes(typeof value);
}
