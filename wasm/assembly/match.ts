// From the current record to candidate rules: each field that its classes want runs once.

import {
  ATOM_ROW_BYTES,
  ATOM_ROW_FIELD,
  CLASS_ALL,
  CLASSES_DNS_ANSWER,
  CLASSES_DNS_QUERY,
  CLASSES_FILE_ACCESS,
  CLASSES_FILE_CHANGE,
  CLASSES_FILE_DELETE,
  CLASSES_FILE_EVENT,
  CLASSES_FILE_HASH,
  CLASSES_FILE_RENAME,
  CLASSES_IDENTITY,
  CLASSES_NETWORK_ACCEPT,
  CLASSES_NETWORK_BIND,
  CLASSES_NETWORK_CONNECTION,
  CLASSES_NETWORK_FLOW,
  CLASSES_NETWORK_LISTEN,
  CLASSES_PRIVILEGED_ACT,
  CLASSES_PROGRAM_HASH,
  CLASSES_PROCESS_ACCESS,
  CLASSES_PROCESS_CREATION,
  CLASSES_PROCESS_FORK,
  CLASSES_PROCESS_SIGNAL,
  CLASSES_PROCESS_SNAPSHOT,
  CLASSES_PROCESS_TERMINATION,
  FIELD_ROW_BYTES,
  FIELD_ROW_CLASS_MASK,
  FIELD_ROW_EMPTY,
  FIELD_ROW_PRESENT,
  FIELD_ROW_SINGLES,
  FIELD_ROW_STANDARD,
  NONE,
} from "../../out/gen/image";
import {
  CHANGE_CHANGE,
  CHANGE_IS_ATTRIBUTES,
  CHANGE_IS_DELETE,
  CHANGE_IS_RENAME,
  DNS_IS_ANSWER,
  IMAGE_HASH_IS_PROGRAM,
  KIND_ACCEPT,
  KIND_ACCESS,
  KIND_ACT,
  KIND_BIND,
  KIND_CHANGE,
  KIND_CONNECT,
  KIND_DNS,
  KIND_EXEC,
  KIND_EXIT,
  KIND_FLAT,
  KIND_FLOW,
  KIND_FORK,
  KIND_IDENTITY,
  KIND_IMAGE_HASH,
  KIND_LISTEN,
  KIND_OPEN,
  KIND_PROCESS,
  KIND_SIGNAL,
  OPEN_FLAGS_UNKNOWN,
  OPEN_OPEN_FLAGS,
} from "../../out/gen/record";
import { set_budget, tries_unfinished } from "./budget";
import { body, kind } from "./current";
import { group_classes, group_fields, fields_of, list_field, list_length } from "./field_lists";
import { program_of } from "./fields";
import { always, atoms, fields, relations, words } from "./image";
import { GROUP_ANCESTOR, GROUP_PARENT, GROUP_PROCESS, kept_is_known, kept_mark, kept_store } from "./kept";
import { parent, process } from "./lifecycle";
import { match_literals } from "./literals_run";
import { mark_atom, mark_rules, marks_next } from "./marks";
import { process_get, row_at } from "./process_table";
import { try_atom, try_put_forward } from "./singles";
import { load_program_value, load_value, value, value_length } from "./values";

/** Steps that the tests of one record may take beside the search for literals. */
@inline const STEPS_PER_RECORD_MAX: u32 = 1 << 20;
/** Ancestors of a process that are looked at. */
@inline const ANCESTORS_MAX: u32 = 16;
/** O_WRONLY | O_RDWR | O_CREAT | O_TRUNC of Linux. */
@inline const OPEN_FLAGS_WRITE: u32 = 0x1 | 0x2 | 0x40 | 0x200;

function open_classes(): u32 {
  const flags: u32 = load<u32>(body, OPEN_OPEN_FLAGS);
  const writes: bool = flags != OPEN_FLAGS_UNKNOWN && (flags & OPEN_FLAGS_WRITE) != 0;
  return CLASSES_FILE_ACCESS | (writes ? CLASSES_FILE_EVENT : 0);
}

/** A file that got a name by a rename was made there, for who looks at that name alone. */
function change_classes(): u32 {
  const what: u32 = load<u32>(body, CHANGE_CHANGE);
  if (what == CHANGE_IS_DELETE) return CLASSES_FILE_DELETE;
  if (what == CHANGE_IS_ATTRIBUTES) return CLASSES_FILE_CHANGE;
  return what == CHANGE_IS_RENAME ? CLASSES_FILE_RENAME | CLASSES_FILE_EVENT : CLASSES_FILE_EVENT;
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
  if (kind == KIND_FLOW) return CLASSES_NETWORK_FLOW;
  if (kind == KIND_ACCEPT) return CLASSES_NETWORK_ACCEPT;
  if (kind == KIND_LISTEN) return CLASSES_NETWORK_LISTEN;
  if (kind == KIND_DNS) return load<u16>(body, DNS_IS_ANSWER) != 0 ? CLASSES_DNS_ANSWER : CLASSES_DNS_QUERY;
  if (kind == KIND_SIGNAL) return CLASSES_PROCESS_SIGNAL;
  if (kind == KIND_ACCESS) return CLASSES_PROCESS_ACCESS;
  if (kind == KIND_CHANGE) return change_classes();
  if (kind == KIND_ACT) return CLASSES_PRIVILEGED_ACT;
  if (kind == KIND_IMAGE_HASH) {
    return load<u32>(body, IMAGE_HASH_IS_PROGRAM) != 0 ? CLASSES_PROGRAM_HASH : CLASSES_FILE_HASH;
  }
  if (kind == KIND_PROCESS) return CLASSES_PROCESS_SNAPSHOT;
  return kind == KIND_FLAT ? CLASS_ALL : 0;
}

/** Tries the atoms of a list, then those that literals which were found have put forward. */
function match_singles(list: u32): void {
  if (list != NONE) {
    let at: usize = words + (<usize> list << 2);
    const end: usize = at + (<usize> (load<u32>(at) + 1) << 2);
    for (at += 4; at < end; at += 4) try_atom(load<u32>(at));
  }
  try_put_forward();
}

@inline function mark_optional(atom: u32): void {
  if (atom != NONE) mark_atom(atom);
}

/** Marks the atoms of a field that the current value fulfils. */
function match_value(row: usize): void {
  mark_optional(load<u32>(row, FIELD_ROW_PRESENT));
  if (value_length == 0) mark_optional(load<u32>(row, FIELD_ROW_EMPTY));
  match_literals(row, value, value_length);
  match_singles(load<u32>(row, FIELD_ROW_SINGLES));
}

@inline function field_row(field: u32): usize {
  return fields + <usize> (field * FIELD_ROW_BYTES);
}

/** Marks what a program fulfils in the fields of a group. */
function match_program(program: usize, group: u32): void {
  const list: usize = group_fields(group);
  for (let i: u32 = 0; i < list_length(list); i++) {
    const row: usize = field_row(list_field(list, i));
    if (load_program_value(program, load<u32>(row, FIELD_ROW_STANDARD))) match_value(row);
  }
}

/** Finds and keeps what the program of a row fulfils, if nobody has. Leaves other marks behind. */
function prepare(pointer: usize, group: u32): void {
  const program: usize = program_of(pointer);
  if (program == 0 || kept_is_known(program, group)) return;
  const unfinished: u32 = tries_unfinished;
  // Marks of their own: an atom that another program fulfils as well counts here too.
  marks_next(0);
  set_budget(STEPS_PER_RECORD_MAX);
  match_program(program, group);
  if (tries_unfinished == unfinished) kept_store(program, group);
}

/** Marks what the program of a row fulfils. */
function match_group(pointer: usize, group: u32): void {
  const program: usize = program_of(pointer);
  if (program == 0) return;
  if (!kept_mark(program, group)) match_program(program, group);
}

/** Marks what the program of an exec fulfils; one that the table has no room for is on the record. */
function match_exec(): void {
  if (program_of(process) != 0) {
    match_group(process, GROUP_PROCESS);
    return;
  }
  const list: usize = group_fields(GROUP_PROCESS);
  for (let i: u32 = 0; i < list_length(list); i++) {
    const field: u32 = list_field(list, i);
    if (load_value(field)) match_value(field_row(field));
  }
}

/** The row of the process that started another, or 0. */
@inline function parent_of(pointer: usize): usize {
  const row = row_at(pointer);
  return row.parent_pid == 0 ? 0 : process_get(row.parent_pid, row.parent_start);
}

/** Whether the current record is asked for fields of a group. */
@inline function wants(group: u32, classes: u32): bool {
  return (group_classes(group) & classes) != 0;
}

/** The program of an exec is matched where its role was found; without roles it is on its record. */
function prepare_groups(classes: u32): void {
  if (kind != KIND_EXEC && wants(GROUP_PROCESS, classes)) prepare(process, GROUP_PROCESS);
  if (wants(GROUP_PARENT, classes)) prepare(parent, GROUP_PARENT);
  if (!wants(GROUP_ANCESTOR, classes)) return;
  let at: usize = parent;
  for (let i: u32 = 0; i < ANCESTORS_MAX && at != 0; i++, at = parent_of(at)) {
    prepare(at, GROUP_ANCESTOR);
  }
}

function match_groups(classes: u32): void {
  if (wants(GROUP_PROCESS, classes)) {
    if (kind == KIND_EXEC) match_exec();
    else match_group(process, GROUP_PROCESS);
  }
  if (wants(GROUP_PARENT, classes)) match_group(parent, GROUP_PARENT);
  if (!wants(GROUP_ANCESTOR, classes)) return;
  let at: usize = parent;
  for (let i: u32 = 0; i < ANCESTORS_MAX && at != 0; i++, at = parent_of(at)) {
    match_group(at, GROUP_ANCESTOR);
  }
}

function match_relations(classes: u32): void {
  if (relations == NONE) return;
  let at: usize = words + (<usize> relations << 2);
  const end: usize = at + (<usize> (load<u32>(at) + 1) << 2);
  for (at += 4; at < end; at += 4) {
    const atom: u32 = load<u32>(at);
    const field: u32 = <u32> load<u16>(
      atoms + <usize> (atom * ATOM_ROW_BYTES),
      ATOM_ROW_FIELD,
    );
    if ((load<u32>(field_row(field), FIELD_ROW_CLASS_MASK) & classes) == 0) continue;
    if (load_value(field)) try_atom(atom);
  }
}

/** Marks what the program of the current process fulfils, for rules of these classes alone. */
export function match_process(classes: u32): void {
  prepare(process, GROUP_PROCESS);
  marks_next(classes);
  set_budget(STEPS_PER_RECORD_MAX);
  match_group(process, GROUP_PROCESS);
}

/** Marks the atoms and candidate rules of the current record. */
export function match_record(classes: u32): void {
  if (kind != KIND_FLAT) prepare_groups(classes);
  marks_next(classes);
  mark_rules(always);
  set_budget(STEPS_PER_RECORD_MAX);
  const list: usize = fields_of(classes);
  const length: u32 = list_length(list);
  for (let i: u32 = 0; i < length; i++) {
    const field: u32 = list_field(list, i);
    if (load_value(field)) match_value(field_row(field));
  }
  if (kind != KIND_FLAT) match_groups(classes);
  match_relations(classes);
}
