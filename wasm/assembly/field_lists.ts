// Which fields to look at, by kind of record: made when an image is published, so that a record is
// not asked for fields that it cannot have. Fields that a program fills are in groups (kept.ts).

import {
  CLASS_ALL,
  CLASSES_FILE_ACCESS,
  CLASSES_FILE_DELETE,
  CLASSES_FILE_EVENT,
  CLASSES_FILE_RENAME,
  CLASSES_IDENTITY,
  CLASSES_NETWORK_BIND,
  CLASSES_NETWORK_CONNECTION,
  CLASSES_PROCESS_CREATION,
  CLASSES_PROCESS_FORK,
  CLASSES_PROCESS_SNAPSHOT,
  CLASSES_PROCESS_TERMINATION,
  FIELD_ROW_BYTES,
  FIELD_ROW_AUTOMATON,
  FIELD_ROW_CLASS_MASK,
  FIELD_ROW_EMPTY,
  FIELD_ROW_LITERALS,
  FIELD_ROW_PRESENT,
  FIELD_ROW_SINGLES,
  FIELD_ROW_STANDARD,
  FIELDS_MAX,
  NONE,
  STANDARD_FIELDS_ANCESTOR_IMAGE,
  STANDARD_FIELDS_COMMAND_LINE,
  STANDARD_FIELDS_CURRENT_DIRECTORY,
  STANDARD_FIELDS_IMAGE,
  STANDARD_FIELDS_PARENT_COMMAND_LINE,
  STANDARD_FIELDS_PARENT_IMAGE,
} from "../../out/gen/image";
import { field_count, fields } from "./image";
import { GROUP_ANCESTOR, GROUP_PARENT, GROUP_PROCESS, GROUPS } from "./kept";
import { FIELD_LISTS } from "./memory";

@inline const NO_GROUP: u32 = GROUPS;
/** Kinds of records by their classes; an open with and without writing are two. */
@inline const LISTS: u32 = 25;
/** From there on one class a list, each twice the one before. */
@inline const LIST_SNAPSHOT: u32 = 11;
@inline const LIST_FILE_DELETE: u32 = 19;
/** A list: u32 classes of its records, u32 number, u32 fields. */
@inline const LIST_HEADER_BYTES: u32 = 8;
@inline const LIST_BYTES: u32 = LIST_HEADER_BYTES + FIELDS_MAX * 4;
/** Groups follow, of the same form: the classes are those that ask for one of the fields. */
@inline const GROUPS_AT: usize = FIELD_LISTS + <usize> (LISTS * LIST_BYTES);

const NO_FIELDS = memory.data(8);

function classes_of_list(list: u32): u32 {
  if (list == 0) return CLASS_ALL;
  if (list == 1) return CLASSES_PROCESS_CREATION;
  if (list == 2) return CLASSES_FILE_ACCESS;
  if (list == 3) return CLASSES_FILE_ACCESS | CLASSES_FILE_EVENT;
  if (list == 4) return CLASSES_NETWORK_CONNECTION;
  if (list == 5) return CLASSES_NETWORK_BIND;
  if (list == 6) return CLASSES_PROCESS_FORK;
  if (list == 7) return CLASSES_PROCESS_TERMINATION;
  if (list == 8) return CLASSES_IDENTITY;
  if (list == 9) return CLASSES_FILE_EVENT;
  if (list == 10) return CLASSES_FILE_EVENT | CLASSES_FILE_RENAME;
  if (list < LIST_FILE_DELETE) return CLASSES_PROCESS_SNAPSHOT << (list - LIST_SNAPSHOT);
  return CLASSES_FILE_DELETE << (list - LIST_FILE_DELETE);
}

function group_of(standard: u32): u32 {
  if (standard == STANDARD_FIELDS_IMAGE || standard == STANDARD_FIELDS_COMMAND_LINE) {
    return GROUP_PROCESS;
  }
  if (standard == STANDARD_FIELDS_CURRENT_DIRECTORY) return GROUP_PROCESS;
  if (standard == STANDARD_FIELDS_PARENT_IMAGE) return GROUP_PARENT;
  if (standard == STANDARD_FIELDS_PARENT_COMMAND_LINE) return GROUP_PARENT;
  return standard == STANDARD_FIELDS_ANCESTOR_IMAGE ? GROUP_ANCESTOR : NO_GROUP;
}

@inline function list_at(list: u32): usize {
  return FIELD_LISTS + <usize> (list * LIST_BYTES);
}

/** The fields of a group, as `fields_of` has those of a kind. */
@inline export function group_fields(group: u32): usize {
  return GROUPS_AT + <usize> (group * LIST_BYTES);
}

/** How many fields a list has. */
@inline export function list_length(list: usize): u32 {
  return load<u32>(list, 4);
}

/** Number of field `index` of a list. */
@inline export function list_field(list: usize, index: u32): u32 {
  return load<u32>(list + <usize> (LIST_HEADER_BYTES + (index << 2)));
}

/** Classes that ask for a field of a group. */
@inline export function group_classes(group: u32): u32 {
  return load<u32>(group_fields(group));
}

function append(list: usize, field: u32): void {
  const length: u32 = list_length(list);
  store<u32>(list + <usize> (LIST_HEADER_BYTES + (length << 2)), field);
  store<u32>(list, length + 1, 4);
}

/** Whether records of a list are to be looked at for a field on their own. */
function is_own(list: u32, standard: u32): bool {
  if (list == 0) return true;
  if (standard == 0) return false;
  return group_of(standard) == NO_GROUP;
}

/** Whether anything is looked for in a field before a rule asks for it. */
function is_waited_for(row: usize): bool {
  return load<u32>(row, FIELD_ROW_LITERALS) != 0 || load<u32>(row, FIELD_ROW_AUTOMATON) != 0 ||
    load<u32>(row, FIELD_ROW_PRESENT) != NONE || load<u32>(row, FIELD_ROW_EMPTY) != NONE ||
    load<u32>(row, FIELD_ROW_SINGLES) != NONE;
}

/** Makes all lists for the active image. */
export function field_lists_make(): void {
  for (let list: u32 = 0; list < LISTS + GROUPS; list++) {
    store<u32>(list_at(list), list < LISTS ? classes_of_list(list) : 0);
    store<u32>(list_at(list), 0, 4);
  }
  for (let i: u32 = 0; i < field_count; i++) {
    const row: usize = fields + <usize> (i * FIELD_ROW_BYTES);
    if (!is_waited_for(row)) continue;
    const classes: u32 = load<u32>(row, FIELD_ROW_CLASS_MASK);
    const standard: u32 = load<u32>(row, FIELD_ROW_STANDARD);
    for (let list: u32 = 0; list < LISTS; list++) {
      if ((classes & classes_of_list(list)) != 0 && is_own(list, standard)) append(list_at(list), i);
    }
    const group: u32 = group_of(standard);
    if (group == NO_GROUP) continue;
    const of_group: usize = group_fields(group);
    store<u32>(of_group, load<u32>(of_group) | classes);
    append(of_group, i);
  }
}

/** The fields that a record of these classes has of its own. */
export function fields_of(classes: u32): usize {
  for (let list: u32 = 0; list < LISTS; list++) {
    if (load<u32>(list_at(list)) == classes) return list_at(list);
  }
  return NO_FIELDS;
}
