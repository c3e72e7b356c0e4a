import { type LibraryOptions, loadLibrary } from "./library.ts";

/** Most programs of a sensor that are looked for. */
export const PROGRAMS_MAX = 256;
/** The kernel frees programs a moment after they are let go: so long is waited, in milliseconds. */
const GONE_WITHIN_MS = 3000;
/** How often it is looked meanwhile, in milliseconds. */
const LOOK_MS = 10;

/** Programs of a sensor that was detached. */
export interface Detached {
  /** How many it had in the kernel. */
  readonly programs: number;
  /** How many of them the kernel still has. */
  readonly left: number;
}

/**
 * How many programs the kernel has.
 *
 * @param ids Their ids.
 * @param options The library.
 * @returns Those that are there, or of which that cannot be told.
 */
export function programsLeft(ids: Uint32Array<ArrayBuffer>, options: LibraryOptions = {}): number {
  const { symbols } = loadLibrary(options);
  return Number(symbols.immune_programs_left(new Uint8Array(ids.buffer), ids.length));
}

/**
 * Waits until programs are gone; blocks this thread, for three seconds at most.
 *
 * @param ids Their ids.
 * @param options The library.
 * @returns What was found at the end.
 */
export function awaitGone(ids: Uint32Array<ArrayBuffer>, options: LibraryOptions = {}): Detached {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const until = performance.now() + GONE_WITHIN_MS;
  let left = programsLeft(ids, options);
  while (left > 0 && performance.now() < until) {
    Atomics.wait(nothing, 0, 0, LOOK_MS);
    left = programsLeft(ids, options);
  }
  return { programs: ids.length, left };
}
