// Rule programs over the atoms found. The stack is one u64: a bit a level, the top one lowest.

import {
  PROGRAM_OPS_ALL,
  PROGRAM_OPS_AND,
  PROGRAM_OPS_ANY,
  PROGRAM_OPS_AT_LEAST,
  PROGRAM_OPS_ATOM,
  PROGRAM_OPS_CONSTANT,
  PROGRAM_OPS_NOT,
  PROGRAM_OPS_UNLESS,
  PROGRAM_OPS_WHEN,
  RULE_ROW_PROGRAM,
  RULE_ROW_PROGRAM_WORDS,
} from "../../out/gen/image";
import { words } from "./image";
import { atom_holds } from "./late";

/** Whether an atom of a list holds (`wanted` true), or whether one does not (false). */
function list_has(index: u32, wanted: bool): bool {
  let at: usize = words + (<usize> index << 2);
  const end: usize = at + (<usize> (load<u32>(at) + 1) << 2);
  for (at += 4; at < end; at += 4) {
    if (atom_holds(load<u32>(at)) == wanted) return true;
  }
  return false;
}

/** Runs the program of a rule row; the image was checked, so no depth or index is tested here. */
export function rule_holds(row: usize): bool {
  let at: usize = words + (<usize> load<u32>(row, RULE_ROW_PROGRAM) << 2);
  const end: usize = at + (<usize> load<u32>(row, RULE_ROW_PROGRAM_WORDS) << 2);
  let stack: u64 = 0;
  for (; at < end; at += 4) {
    const word: u32 = load<u32>(at);
    const op: u32 = word >> 24;
    const operand: u32 = word & 0xffffff;
    if (op == PROGRAM_OPS_ATOM) {
      stack = (stack << 1) | <u64> atom_holds(operand);
    } else if (op == PROGRAM_OPS_ANY) {
      stack = (stack << 1) | <u64> list_has(operand, true);
    } else if (op == PROGRAM_OPS_ALL) {
      stack = (stack << 1) | <u64> !list_has(operand, false);
    } else if (op == PROGRAM_OPS_UNLESS) {
      if ((stack & 1) == 0) at += <usize> operand << 2;
    } else if (op == PROGRAM_OPS_WHEN) {
      if ((stack & 1) != 0) at += <usize> operand << 2;
    } else if (op == PROGRAM_OPS_NOT) {
      stack ^= 1;
    } else if (op == PROGRAM_OPS_CONSTANT) {
      stack = (stack << 1) | <u64> (operand & 1);
    } else if (op == PROGRAM_OPS_AT_LEAST) {
      stack = at_least(stack, operand & 0xfff, operand >> 12);
    } else {
      const top: u64 = stack & 1;
      stack >>= 1;
      stack = op == PROGRAM_OPS_AND ? stack & (top | ~<u64> 1) : stack | top;
    }
  }
  return (stack & 1) != 0;
}

@inline function at_least(stack: u64, bits: u32, threshold: u32): u64 {
  const mask: u64 = bits >= 64 ? ~<u64> 0 : (<u64> 1 << <u64> bits) - 1;
  const found: u64 = <u64> (popcnt<u64>(stack & mask) >= <u64> threshold);
  return bits >= 64 ? found : ((stack >> <u64> bits) << 1) | found;
}
