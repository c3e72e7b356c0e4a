import { createHash } from "node:crypto";

/** Fewest leading zero bits of a proof: 65,536 hashes on the average (measured: 0.1 to 0.3 s). */
export const DIFFICULTY_MIN = 16;
/** Most: 4 million hashes on the average. Nobody works for a challenge that asks for more. */
export const DIFFICULTY_MAX = 22;
/** Bytes of a solution: a number, little-endian. */
export const SOLUTION_BYTES = 8;
/** Longest challenge, in bytes. */
export const CHALLENGE_BYTES_MAX = 256;
/** Most hashes for one solution: a hundred times the average of the hardest. */
const TRIES_MAX = 100 * 2 ** DIFFICULTY_MAX;
/** Keeps these hashes apart from all others. */
const LABEL = new TextEncoder().encode("immune proof of work 1\n");

/**
 * Whether a solution holds: SHA-256 over challenge and solution begins with so many zero bits
 * (as in Hashcash; FIPS 180-4).
 *
 * @param challenge As it was given.
 * @param proof The solution, and how many zero bits, from 0 to 32.
 */
export function provesWork(
  challenge: Uint8Array,
  { solution, difficulty }: { readonly solution: Uint8Array; readonly difficulty: number },
): boolean {
  if (solution.length !== SOLUTION_BYTES || challenge.length > CHALLENGE_BYTES_MAX) return false;
  return zeroBits(hashOf(challenge, solution)) >= difficulty;
}

/**
 * Solves a challenge; the work doubles with each bit of difficulty.
 *
 * @param challenge At most 256 bytes.
 * @param difficulty Leading zero bits, from 0 to `DIFFICULTY_MAX`.
 * @returns The solution.
 * @throws {RangeError} when it is harder than anybody may ask for.
 */
export function solveChallenge(challenge: Uint8Array, difficulty: number): Uint8Array<ArrayBuffer> {
  if (!(difficulty >= 0 && difficulty <= DIFFICULTY_MAX)) {
    throw new RangeError(`Cannot work for ${difficulty} bits: 0 to ${DIFFICULTY_MAX} are allowed`);
  }
  if (challenge.length > CHALLENGE_BYTES_MAX) {
    throw new RangeError(`Cannot work for a challenge over ${CHALLENGE_BYTES_MAX} bytes`);
  }
  const solution = new Uint8Array(SOLUTION_BYTES);
  const view = new DataView(solution.buffer);
  for (let number = 0; number < TRIES_MAX; number++) {
    view.setUint32(0, number, true);
    if (zeroBits(hashOf(challenge, solution)) >= difficulty) return solution;
  }
  throw new RangeError(`Cannot solve the challenge in ${TRIES_MAX} tries`);
}

function hashOf(challenge: Uint8Array, solution: Uint8Array): Uint8Array {
  return createHash("sha256").update(LABEL).update(challenge).update(solution).digest();
}

/** Leading zero bits among the first 32. */
function zeroBits(hash: Uint8Array): number {
  return Math.clz32(
    ((hash[0] ?? 0) << 24) | ((hash[1] ?? 0) << 16) | ((hash[2] ?? 0) << 8) |
      (hash[3] ?? 0),
  );
}
