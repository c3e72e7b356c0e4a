// The check of a rule program: every operand in bounds, the stack never empty and never too deep.

import {
  PROGRAM_DEPTH_MAX,
  PROGRAM_OPS_ALL,
  PROGRAM_OPS_AND,
  PROGRAM_OPS_ANY,
  PROGRAM_OPS_AT_LEAST,
  PROGRAM_OPS_ATOM,
  PROGRAM_OPS_CONSTANT,
  PROGRAM_OPS_NOT,
  PROGRAM_OPS_OR,
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

/** Bits that an operation takes off the stack. */
@inline function pops(op: u32, operand: u32): u32 {
  if (op == PROGRAM_OPS_AND || op == PROGRAM_OPS_OR) return 2;
  if (op == PROGRAM_OPS_NOT) return 1;
  return op == PROGRAM_OPS_AT_LEAST ? operand & 0xfff : 0;
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
  for (let i: u32 = 0; i < size; i++) {
    const word: u32 = load<u32>(words + (<usize> (program + i) << 2));
    const op: u32 = word >> 24;
    const operand: u32 = word & 0xffffff;
    if (op < PROGRAM_OPS_ATOM || op > PROGRAM_OPS_CONSTANT) return false;
    if (op == PROGRAM_OPS_ATOM && operand >= atom_count) return false;
    if (op == PROGRAM_OPS_ANY || op == PROGRAM_OPS_ALL) {
      if (!check_atoms(words, word_count, operand, atom_count)) return false;
    }
    const popped: u32 = pops(op, operand);
    if (popped > depth) return false;
    depth += 1 - popped;
    if (depth > PROGRAM_DEPTH_MAX) return false;
  }
  return depth == 1;
}
