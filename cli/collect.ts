/**
 * Parses an option that may be repeated.
 *
 * @param word What it is given this time.
 * @param before What it was given before.
 * @returns All of it, in order.
 */
export function collect(word: string, before: readonly string[]): string[] {
  return [...before, word];
}
