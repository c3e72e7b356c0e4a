// From the current record to candidate rules: each field that its classes want runs once.

import {
  ATOM_ROW_BYTES,
  ATOM_ROW_TEXT,
  ATOM_ROW_TEXT_LENGTH,
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
  FIELD_ROW_GLOBS,
  FIELD_ROW_PRESENT,
  FIELD_ROW_STANDARD,
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
import { body, kind } from "./current";
import { load_field, load_flat_field, value, value_length } from "./fields";
import { glob } from "./glob";
import { always, atoms, field_count, fields, image, texts, words } from "./image";
import { walk } from "./literals";
import { mark_atom, mark_rules, marks_next } from "./marks";

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

function match_globs(list: u32): void {
  let at: usize = words + (<usize> list << 2);
  const end: usize = at + (<usize> (load<u32>(at) + 1) << 2);
  for (at += 4; at < end; at += 4) {
    const atom: u32 = load<u32>(at);
    const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
    const pattern: usize = texts + <usize> load<u32>(row, ATOM_ROW_TEXT);
    const length: u32 = load<u32>(row, ATOM_ROW_TEXT_LENGTH);
    if (glob(pattern, length, value, value_length)) mark_atom(atom);
  }
}

@inline function mark_optional(atom: u32): void {
  if (atom != NONE) mark_atom(atom);
}

/** Marks the atoms and candidate rules of the current record. */
export function match_record(classes: u32): void {
  marks_next();
  mark_rules(always);
  const is_flat: bool = kind == KIND_FLAT;
  for (let i: u32 = 0; i < field_count; i++) {
    const row: usize = fields + <usize> (i * FIELD_ROW_BYTES);
    if ((load<u32>(row, FIELD_ROW_CLASS_MASK) & classes) == 0) continue;
    if (is_flat ? !load_flat_field(i) : !load_field(load<u32>(row, FIELD_ROW_STANDARD))) continue;
    mark_optional(load<u32>(row, FIELD_ROW_PRESENT));
    if (value_length == 0) mark_optional(load<u32>(row, FIELD_ROW_EMPTY));
    const automaton: u32 = load<u32>(row, FIELD_ROW_AUTOMATON);
    if (automaton != 0) walk(image + <usize> automaton, value, value_length);
    const globs: u32 = load<u32>(row, FIELD_ROW_GLOBS);
    if (globs != NONE) match_globs(globs);
  }
}
