import type { Engine } from "./engine.ts";

/** Where literals are looked for. */
export interface LiteralsOptions {
  /** Index of the field in the active image; default 0. */
  readonly field?: number;
}

/**
 * Runs a text through the automaton of one field of the active image.
 *
 * @param engine Engine with an image.
 * @param text Bytes or a string, at most 63 KiB.
 * @param options Which field.
 * @returns Numbers of the atoms that hold, in the order in which they were found; `undefined` when
 * there is no image, no such field or no automaton.
 */
export function findLiterals(
  engine: Engine,
  text: Uint8Array | string,
  options: LiteralsOptions = {},
): readonly number[] | undefined {
  const { core } = engine;
  const length = core.put(text);
  const count = core.exports.literals_run(options.field ?? 0, core.text, length);
  if (count < 0) return undefined;
  return Array.from({ length: count }, (_, i) => core.exports.literals_found(i) >>> 0);
}
