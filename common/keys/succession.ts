const UTF8 = new TextEncoder();

/**
 * What an old stop key signs so that a new one takes its place.
 *
 * @param fleet Fleet of both, 32 hexadecimal digits.
 * @param successor Public half of the new one, 64 hexadecimal digits.
 */
export function stopKeySuccession(fleet: string, successor: string): Uint8Array {
  return UTF8.encode(`${fleet}\n${successor}\n`);
}
