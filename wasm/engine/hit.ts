/** A rule that fired on a record. Pointers are good until the next scan. */
export interface Hit {
  /** Offset of the record in the batch, in bytes. */
  readonly offset: number;
  /** Index of the rule in the image; `RULE_LISTED` for a record of which a value may be listed. */
  readonly rule: number;
  /** Row of the process; 0 = not known. */
  readonly process: number;
  /** Program of the process at that moment; 0 = not known. */
  readonly program: number;
  /** Row of the parent; 0 = not known. */
  readonly parent: number;
  /** Program of the parent at that moment; 0 = not known. */
  readonly parentProgram: number;
  /** Which published image found it, counted from 1. */
  readonly generation: number;
}

/** Bytes of a hit in the module's memory. */
export const HIT_BYTES = 32;

/**
 * Reads one hit.
 *
 * @param hits Region of hits.
 * @param index Which one, from 0.
 * @returns The hit.
 */
export function readHit(hits: DataView, index: number): Hit {
  const word = (n: number): number => hits.getUint32(index * HIT_BYTES + n * 4, true);
  return {
    offset: word(0),
    rule: word(1),
    process: word(2),
    program: word(3),
    parent: word(4),
    parentProgram: word(5),
    generation: word(6),
  };
}
