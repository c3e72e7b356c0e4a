/**
 * Pseudo-random numbers that a seed repeats (xorshift32, Marsaglia 2003).
 *
 * @param seed Not 0.
 * @returns Function that gives the next number below its argument.
 */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}
