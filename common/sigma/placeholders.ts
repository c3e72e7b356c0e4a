import { EXPANSION_VALUES_MAX } from "./limits.ts";
import { ModifierError } from "./modifiers.ts";

/** Values of placeholders, by name without the percent signs. */
export type Placeholders = ReadonlyMap<string, readonly string[]>;

/** A placeholder that the pipeline has no value for. */
export class PlaceholderError extends Error {
  override readonly name = "PlaceholderError";
  /** Its name, without the percent signs. */
  readonly placeholder: string;

  /** @param placeholder Its name, without the percent signs. */
  constructor(placeholder: string) {
    super(`Placeholder "%${placeholder}%" has no value; give it one in "vars" of a pipeline`);
    this.placeholder = placeholder;
  }
}

const PLACEHOLDER = /\\%|%([\w.-]+)%/g;

/**
 * Puts values into a text's placeholders (Sigma rules, "Placeholders"): `%name%`; `\%` is a percent
 * sign.
 *
 * @param text Value as the rule has it.
 * @param options `placeholders`: their values. `quoted`: how a value is written into the text,
 * by default as it is.
 * @returns The text with each choice of values.
 * @throws {PlaceholderError} when one has no value.
 * @throws {ModifierError} when there would be too many texts.
 */
export function expand(
  text: string,
  options: {
    readonly placeholders: Placeholders;
    readonly quoted?: (value: string) => string;
  },
): readonly string[] {
  const { placeholders, quoted = (value) => value } = options;
  let texts: readonly string[] = [""];
  let from = 0;
  for (const { 0: found, 1: name, index } of text.matchAll(PLACEHOLDER)) {
    const before = text.slice(from, index);
    const values = name === undefined ? ["%"] : valuesOf(name, placeholders).map(quoted);
    if (texts.length * values.length > EXPANSION_VALUES_MAX) {
      throw new ModifierError(
        `Placeholders make more than ${EXPANSION_VALUES_MAX} values; give them fewer`,
      );
    }
    texts = texts.flatMap((start) => values.map((value) => start + before + value));
    from = index + found.length;
  }
  const rest = text.slice(from);
  return texts.map((start) => start + rest);
}

function valuesOf(name: string, placeholders: Placeholders): readonly string[] {
  const values = placeholders.get(name);
  if (values === undefined || values.length === 0) throw new PlaceholderError(name);
  return values;
}
