// Steps that the tests of one record may take together, so that no set of rules and no record can
// hold a scan up; and which tests ended for want of them.

import { UNFINISHED } from "./memory";
import { count, STAT_TESTS_UNFINISHED } from "./stats";

/** Atoms that are kept by number until the host asks; of more, only the count is known. */
@inline export const UNFINISHED_MAX: u32 = 64;

let steps: u32 = 0;
let most: u32 = 0xffffffff;
let unfinished: u32 = 0;
/** Tries that did not end, ever; it wraps around. */
export let tries_unfinished: u32 = 0;

/** Gives what follows so many steps together. */
export function set_budget(allowed: u32): void {
  steps = 0;
  most = allowed;
}

/** Takes steps; false when the budget does not have them. */
@inline export function spend(wanted: u32): bool {
  if (wanted > most - steps) return false;
  steps += wanted;
  return true;
}

/** Steps taken since the last budget. */
export function steps_taken(): u32 {
  return steps;
}

/** Notes that the test of an atom did not come to its end. */
export function mark_unfinished(atom: u32): void {
  count(STAT_TESTS_UNFINISHED);
  tries_unfinished++;
  if (unfinished == UNFINISHED_MAX) return;
  for (let i: u32 = 0; i < unfinished; i++) {
    if (unfinished_atom(i) == atom) return;
  }
  store<u32>(UNFINISHED + (<usize> unfinished << 2), atom);
  unfinished++;
}

/** Atoms noted since the last `forget_unfinished`. */
export function unfinished_count(): u32 {
  return unfinished;
}

/** Number of one of them. */
export function unfinished_atom(index: u32): u32 {
  return load<u32>(UNFINISHED + (<usize> index << 2));
}

/** Forgets them: the host has read them, or their image is gone. */
export function forget_unfinished(): void {
  unfinished = 0;
}
