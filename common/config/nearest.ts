/** Most edits between a name and the one that was meant. */
const EDITS_MAX = 3;

/**
 * The name that was probably meant.
 *
 * @param name What was written.
 * @param known Names that exist.
 * @returns The one with the fewest edits (Levenshtein), or `undefined` when none is within three
 * edits and half of the name.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestEdits = Math.min(EDITS_MAX, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    const found = edits(name, candidate);
    if (found < bestEdits) [best, bestEdits] = [candidate, found];
  }
  return best;
}

function edits(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > EDITS_MAX) return EDITS_MAX + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? EDITS_MAX + 1;
}
