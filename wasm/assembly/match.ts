// From the current record to candidate rules: each field that its classes want runs once.

import {
  CLASS_ALL,
  CLASSES_FILE_ACCESS,
  CLASSES_FILE_EVENT,
  CLASSES_IDENTITY,
  CLASSES_NETWORK_BIND,
  CLASSES_NETWORK_CONNECTION,
  CLASSES_PROCESS_CREATION,
  CLASSES_PROCESS_FORK,
  CLASSES_PROCESS_TERMINATION,
  FIELD_ROW_AUTOMATON,
  FIELD_ROW_BYTES,
  FIELD_ROW_CLASS_MASK,
  FIELD_ROW_EMPTY,
  FIELD_ROW_SINGLES,
  FIELD_ROW_PRESENT,
  NONE,
} from "../../out/gen/image";
import {
  KIND_BIND,
  KIND_CONNECT,
  KIND_EXEC,
  KIND_EXIT,
  KIND_FLAT,
  KIND_FORK,
  KIND_IDENTITY,
  KIND_OPEN,
  OPEN_FLAGS_UNKNOWN,
  OPEN_OPEN_FLAGS,
} from "../../out/gen/record";
import { set_budget } from "./budget";
import { body, kind } from "./current";
import { always, field_count, fields, image, words } from "./image";
import { walk } from "./literals";
import { mark_atom, mark_rules, marks_next, next_to_try } from "./marks";
import { try_atom } from "./singles";
import { load_value, value, value_length } from "./values";

/** Steps that the tests of one record may take beside the search for literals. */
@inline const STEPS_PER_RECORD_MAX: u32 = 1 << 20;
/** O_WRONLY | O_RDWR | O_CREAT | O_TRUNC of Linux. */
@inline const OPEN_FLAGS_WRITE: u32 = 0x1 | 0x2 | 0x40 | 0x200;

function open_classes(): u32 {
  const flags: u32 = load<u32>(body, OPEN_OPEN_FLAGS);
  const writes: bool = flags != OPEN_FLAGS_UNKNOWN && (flags & OPEN_FLAGS_WRITE) != 0;
  return CLASSES_FILE_ACCESS | (writes ? CLASSES_FILE_EVENT : 0);
}

/** Event classes of the current record; 0 for context. */
export function record_classes(): u32 {
  if (kind == KIND_OPEN) return open_classes();
  if (kind == KIND_EXEC) return CLASSES_PROCESS_CREATION;
  if (kind == KIND_CONNECT) return CLASSES_NETWORK_CONNECTION;
  if (kind == KIND_BIND) return CLASSES_NETWORK_BIND;
  if (kind == KIND_FORK) return CLASSES_PROCESS_FORK;
  if (kind == KIND_EXIT) return CLASSES_PROCESS_TERMINATION;
  if (kind == KIND_IDENTITY) return CLASSES_IDENTITY;
  return kind == KIND_FLAT ? CLASS_ALL : 0;
}

/** Tries the atoms of a list, then those that literals which were found have put forward. */
function match_singles(list: u32): void {
  if (list != NONE) {
    let at: usize = words + (<usize> list << 2);
    const end: usize = at + (<usize> (load<u32>(at) + 1) << 2);
    for (at += 4; at < end; at += 4) try_atom(load<u32>(at));
  }
  for (let atom: u32 = next_to_try(); atom != NONE; atom = next_to_try()) try_atom(atom);
}

@inline function mark_optional(atom: u32): void {
  if (atom != NONE) mark_atom(atom);
}

/** Marks the atoms and candidate rules of the current record. */
export function match_record(classes: u32): void {
  marks_next();
  mark_rules(always);
  set_budget(STEPS_PER_RECORD_MAX);
  for (let i: u32 = 0; i < field_count; i++) {
    const row: usize = fields + <usize> (i * FIELD_ROW_BYTES);
    if ((load<u32>(row, FIELD_ROW_CLASS_MASK) & classes) == 0) continue;
    if (!load_value(i)) continue;
    mark_optional(load<u32>(row, FIELD_ROW_PRESENT));
    if (value_length == 0) mark_optional(load<u32>(row, FIELD_ROW_EMPTY));
    const automaton: u32 = load<u32>(row, FIELD_ROW_AUTOMATON);
    if (automaton != 0) walk(image + <usize> automaton, value, value_length);
    match_singles(load<u32>(row, FIELD_ROW_SINGLES));
  }
}
