import { USER_KIND_FIRST } from "../../common/record/bounds.ts";

/** Kinds of a block as two sets of bits: a query leaves blocks out without reading them. */
export interface KindMasks {
  /** Bit N: kind N, 1 to 31. Bit 0: a kind that has no bit of its own. */
  readonly kernelKinds: number;
  /** Bit N: kind 128 + N, up to 159. */
  readonly userKinds: number;
}

/** Kinds that have a bit, of each of the two sets. */
const KINDS_PER_MASK = 32;

/**
 * The masks of a set of kinds.
 *
 * @param kinds Numbers of kinds (common/record).
 */
export function kindMasks(kinds: Iterable<number>): KindMasks {
  let kernelKinds = 0;
  let userKinds = 0;
  for (const kind of kinds) {
    const user = kind - USER_KIND_FIRST;
    if (user >= 0 && user < KINDS_PER_MASK) userKinds |= 1 << user;
    else kernelKinds |= kind < KINDS_PER_MASK ? 1 << kind : 1;
  }
  return { kernelKinds: kernelKinds >>> 0, userKinds: userKinds >>> 0 };
}
