// The check of a rule program: every operand in bounds, the stack never empty and never too deep, and
// as deep behind a jump as without it.

import {
  PROGRAM_DEPTH_MAX,
  PROGRAM_OPS_ALL,
  PROGRAM_OPS_AND,
  PROGRAM_OPS_ANY,
  PROGRAM_OPS_AT_LEAST,
  PROGRAM_OPS_ATOM,
  PROGRAM_OPS_NOT,
  PROGRAM_OPS_OR,
  PROGRAM_OPS_UNLESS,
  PROGRAM_OPS_WHEN,
} from "../../out/gen/image";

function check_atoms(words: usize, word_count: u32, index: u32, atom_count: u32): bool {
  if (index >= word_count) return false;
  const at: usize = words + (<usize> index << 2);
  const members: u32 = load<u32>(at);
  if (<u64> index + 1 + <u64> members > <u64> word_count) return false;
  for (let i: u32 = 1; i <= members; i++) {
    if (load<u32>(at + (<usize> i << 2)) >= atom_count) return false;
  }
  return true;
}

/** Bits that an operation takes off the stack; a jump leaves the one that it looks at. */
@inline function pops(op: u32, operand: u32): u32 {
  if (op == PROGRAM_OPS_AND || op == PROGRAM_OPS_OR) return 2;
  if (op == PROGRAM_OPS_NOT || op >= PROGRAM_OPS_UNLESS) return 1;
  return op == PROGRAM_OPS_AT_LEAST ? operand & 0xfff : 0;
}

/** Places that jumps lead to, the nearest last, and how deep the stack is there. */
const jumps = memory.data(PROGRAM_DEPTH_MAX * 8);
let jump_count: u32 = 0;

@inline function jump_at(index: u32): usize {
  return jumps + <usize> (index << 3);
}

/** Notes a jump; false when it leads past the program, or out of the part that another one skips. */
function jump(target: u32, depth: u32, size: u32): bool {
  if (target > size) return false;
  if (jump_count != 0) {
    const nearest: usize = jump_at(jump_count - 1);
    if (target > load<u32>(nearest)) return false;
    if (target == load<u32>(nearest)) return depth == load<u32>(nearest, 4);
  }
  if (jump_count == PROGRAM_DEPTH_MAX) return false;
  store<u32>(jump_at(jump_count), target);
  store<u32>(jump_at(jump_count), depth, 4);
  jump_count++;
  return true;
}

/** Whether the stack is as deep as the jumps that lead to a place have it. */
function lands(place: u32, depth: u32): bool {
  if (jump_count == 0 || load<u32>(jump_at(jump_count - 1)) != place) return true;
  jump_count--;
  return load<u32>(jump_at(jump_count), 4) == depth;
}

/** Whether the program of `size` words at pool index `program` (in bounds) can run. */
export function program_check(
  words: usize,
  word_count: u32,
  program: u32,
  size: u32,
  atom_count: u32,
): bool {
  let depth: u32 = 0;
  jump_count = 0;
  for (let i: u32 = 0; i < size; i++) {
    const word: u32 = load<u32>(words + (<usize> (program + i) << 2));
    const op: u32 = word >> 24;
    const operand: u32 = word & 0xffffff;
    if (op < PROGRAM_OPS_ATOM || op > PROGRAM_OPS_WHEN || !lands(i, depth)) return false;
    if (op == PROGRAM_OPS_ATOM && operand >= atom_count) return false;
    if (op == PROGRAM_OPS_ANY || op == PROGRAM_OPS_ALL) {
      if (!check_atoms(words, word_count, operand, atom_count)) return false;
    }
    const popped: u32 = pops(op, operand);
    if (popped > depth) return false;
    depth += 1 - popped;
    if (depth > PROGRAM_DEPTH_MAX) return false;
    if (op >= PROGRAM_OPS_UNLESS && !jump(i + 1 + operand, depth, size)) return false;
  }
  return depth == 1 && lands(size, depth);
}
