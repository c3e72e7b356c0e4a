// Literals that share their keys with too many others: the walk of a field's automaton (Aho and Corasick 1975, failure links resolved) over its bytes.

import {
  ATOM_FLAGS_CASED,
  ATOM_OPS_CONTAINS,
  ATOM_OPS_ENDSWITH,
  ATOM_OPS_EQUALS,
  ATOM_OPS_STARTSWITH,
  ATOM_ROW_BYTES,
  ATOM_ROW_FLAGS,
  ATOM_ROW_OP,
  ATOM_ROW_TEXT,
  ATOM_ROW_TEXT_LENGTH,
  AUTOMATON_CLASS_OF,
  AUTOMATON_CLASSES,
  AUTOMATON_OUTPUT_BIT,
  AUTOMATON_OUTPUT_STARTS,
  AUTOMATON_OUTPUTS,
  AUTOMATON_TRANSITIONS,
} from "../../out/gen/image";
import { same_byte } from "./fold";
import { atoms, texts } from "./image";
import { mark_atom } from "./marks";

/** Whether the bytes in front of a place are an atom's own, letters as they are written. */
function is_as_written(row: usize, end_at: usize): bool {
  const length: usize = <usize> load<u32>(row, ATOM_ROW_TEXT_LENGTH);
  const text: usize = texts + <usize> load<u32>(row, ATOM_ROW_TEXT);
  for (let i: usize = 0; i < length; i++) {
    if (<u32> load<u8>(text + i) != same_byte(load<u8>(end_at - length + i))) return false;
  }
  return true;
}

/** Whether an atom whose literal ends at `end` of `length` bytes from `pointer` holds there. */
@inline function holds(atom: u32, pointer: usize, end: u32, length: u32): bool {
  const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
  const cased: bool = (load<u32>(row, ATOM_ROW_FLAGS) & ATOM_FLAGS_CASED) != 0;
  if (cased && !is_as_written(row, pointer + <usize> end)) return false;
  const op: u32 = <u32> load<u16>(row, ATOM_ROW_OP);
  if (op == ATOM_OPS_CONTAINS) return true;
  if (op == ATOM_OPS_ENDSWITH) return end == length;
  const starts: bool = end == load<u32>(row, ATOM_ROW_TEXT_LENGTH);
  if (op == ATOM_OPS_STARTSWITH) return starts;
  return op == ATOM_OPS_EQUALS && starts && end == length;
}

function outputs_of(
  automaton: usize,
  state: u32,
  pointer: usize,
  end: u32,
  length: u32,
): void {
  const starts: usize = automaton + <usize> load<u32>(automaton, AUTOMATON_OUTPUT_STARTS) +
    (<usize> state << 2);
  const outputs: usize = automaton + <usize> load<u32>(automaton, AUTOMATON_OUTPUTS);
  const last: usize = outputs + (<usize> load<u32>(starts, 4) << 2);
  for (let at: usize = outputs + (<usize> load<u32>(starts) << 2); at < last; at += 4) {
    const atom: u32 = load<u32>(at);
    if (holds(atom, pointer, end, length)) mark_atom(atom);
  }
}

/** Runs the bytes through an automaton and marks the atoms that hold. */
export function walk(automaton: usize, pointer: usize, length: u32): void {
  const classes: u32 = load<u32>(automaton, AUTOMATON_CLASSES);
  const transitions: usize = automaton + <usize> load<u32>(automaton, AUTOMATON_TRANSITIONS);
  const class_of: usize = automaton + <usize> AUTOMATON_CLASS_OF;
  let state: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const byte_class: u32 = <u32> load<u8>(class_of + <usize> load<u8>(pointer + <usize> i));
    const next: u32 = load<u32>(transitions + (<usize> (state * classes + byte_class) << 2));
    state = next & ~AUTOMATON_OUTPUT_BIT;
    if ((next & AUTOMATON_OUTPUT_BIT) != 0) outputs_of(automaton, state, pointer, i + 1, length);
  }
}
