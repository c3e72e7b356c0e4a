// The check of one automaton of a rule image.

import {
  ATOM_OPS_CONTAINS,
  ATOM_OPS_EQUALS,
  ATOM_ROW_BYTES,
  ATOM_ROW_OP,
  AUTOMATON_CLASS_OF,
  AUTOMATON_CLASSES,
  AUTOMATON_OUTPUT_BIT,
  AUTOMATON_OUTPUT_STARTS,
  AUTOMATON_OUTPUTS,
  AUTOMATON_STATES,
  AUTOMATON_TRANSITIONS,
  IMAGE_HEADER_ATOMS,
  IMAGE_HEADER_BYTES,
} from "../../out/gen/image";

@inline const CLASS_MAP_BYTES: u32 = 256;

/** Whether an automaton may stand there: aligned, behind the image's header, not cut off. */
@inline function stands(offset: u32, length: u32): bool {
  return offset % 8 == 0 && offset >= IMAGE_HEADER_BYTES &&
    <u64> offset + <u64> (AUTOMATON_CLASS_OF + CLASS_MAP_BYTES) <= <u64> length;
}

/** Gives NUL the class of space, as arguments are matched; false when it is no automaton. */
export function automaton_prepare(base: usize, offset: u32, length: u32): bool {
  if (!stands(offset, length)) return false;
  const class_of: usize = base + <usize> (offset + AUTOMATON_CLASS_OF);
  store<u8>(class_of, load<u8>(class_of, 0x20));
  return true;
}

@inline function fits(start: u32, count: u64, room: u64): bool {
  return start % 4 == 0 && <u64> start + (count << 2) <= room;
}

function check_classes(automaton: usize, classes: u32): bool {
  const class_of: usize = automaton + <usize> AUTOMATON_CLASS_OF;
  for (let i: usize = 0; i < <usize> CLASS_MAP_BYTES; i++) {
    if (<u32> load<u8>(class_of + i) >= classes) return false;
  }
  return true;
}

function check_outputs(base: usize, outputs: usize, count: u32, atom_count: u32): bool {
  const atoms: usize = base + <usize> load<u32>(base, IMAGE_HEADER_ATOMS);
  for (let i: u32 = 0; i < count; i++) {
    const atom: u32 = load<u32>(outputs + (<usize> i << 2));
    if (atom >= atom_count) return false;
    const op: u32 = <u32> load<u16>(atoms + <usize> (atom * ATOM_ROW_BYTES), ATOM_ROW_OP);
    if (op < ATOM_OPS_EQUALS || op > ATOM_OPS_CONTAINS) return false;
  }
  return true;
}

/** Whether every state, class and output of a prepared automaton is in bounds. */
export function automaton_check(base: usize, offset: u32, length: u32, atom_count: u32): bool {
  if (!stands(offset, length)) return false;
  const automaton: usize = base + <usize> offset;
  const room: u64 = <u64> (length - offset);
  const states: u32 = load<u32>(automaton, AUTOMATON_STATES);
  const classes: u32 = load<u32>(automaton, AUTOMATON_CLASSES);
  if (states == 0 || classes == 0 || classes > CLASS_MAP_BYTES) return false;
  const cells: u64 = <u64> states * <u64> classes;
  const transitions: u32 = load<u32>(automaton, AUTOMATON_TRANSITIONS);
  const starts: u32 = load<u32>(automaton, AUTOMATON_OUTPUT_STARTS);
  const outputs: u32 = load<u32>(automaton, AUTOMATON_OUTPUTS);
  if (!fits(transitions, cells, room) || !fits(starts, <u64> states + 1, room)) return false;
  if (!check_classes(automaton, classes)) return false;
  const cell_end: usize = automaton + <usize> transitions + (<usize> cells << 2);
  for (let at: usize = automaton + <usize> transitions; at < cell_end; at += 4) {
    if ((load<u32>(at) & ~AUTOMATON_OUTPUT_BIT) >= states) return false;
  }
  let last: u32 = 0;
  for (let i: u32 = 0; i <= states; i++) {
    const start: u32 = load<u32>(automaton + <usize> starts + (<usize> i << 2));
    if (start < last) return false;
    last = start;
  }
  if (!fits(outputs, <u64> last, room)) return false;
  return check_outputs(base, automaton + <usize> outputs, last, atom_count);
}
