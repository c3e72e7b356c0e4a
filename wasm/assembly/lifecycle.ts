// What each kind of record does to the process table and the tables of names.

import {
  CGROUP_SLOT_CONTAINER,
  EXEC_REAL_UID,
  EXEC_SLOT_ARGV,
  EXEC_SLOT_CWD,
  EXEC_SLOT_IMAGE,
  FLAG_LABELLED,
  HEADER_CGROUP_ID,
  HEADER_FLAGS,
  HEADER_GID,
  HEADER_PARENT_PID,
  HEADER_PARENT_START_TIME_NS,
  HEADER_PID,
  HEADER_ROLE,
  HEADER_SESSION,
  HEADER_START_TIME_NS,
  HEADER_UID,
  IDENTITY_REAL_UID,
  KIND_CGROUP,
  KIND_EXEC,
  KIND_EXIT,
  KIND_FORK,
  KIND_IDENTITY,
  KIND_IMAGE_HASH,
  KIND_PROCESS,
  KIND_ROLE,
  KIND_USER,
  ROLE_SLOT_NAME,
  USER_SLOT_NAME,
} from "../../out/gen/record";
import { container_set } from "./container_table";
import { body, kind, open_slot, record, slot_length, slot_text } from "./current";
import {
  process_end,
  process_get,
  process_make,
  process_set_program,
  process_touch,
  Row,
  row_at,
  UID_UNKNOWN,
} from "./process_table";
import {
  ABSENT,
  program_argv,
  program_cwd,
  program_image,
  program_make,
  program_release,
  program_retain,
} from "./program";
import { count, STAT_PROCESSES_UNKNOWN } from "./stats";
import { role_set, user_set } from "./user_table";

/** `label_state` of a row: the kernel's records have this label, as far as is known. */
@inline export const LABEL_FROM_KERNEL: u32 = 0;
/** Found here, and the kernel is to be told. */
@inline export const LABEL_FOUND: u32 = 1;
/** Handed over; a record that has it confirms it. */
@inline export const LABEL_TOLD: u32 = 2;

/** Row of the current record's process, 0 = not known; and of its parent. */
export let process: usize = 0;
export let parent: usize = 0;

@inline function slot_bytes(index: u32): u32 {
  return open_slot(index) ? slot_length : ABSENT;
}

@inline function copy_slot(index: u32, to: usize): void {
  if (open_slot(index)) memory.copy(to, slot_text, <usize> slot_length);
}

/** A program with the texts of the current exec or process record; their slots agree. */
function program_of_record(): usize {
  const program: usize = program_make(
    slot_bytes(EXEC_SLOT_IMAGE),
    slot_bytes(EXEC_SLOT_ARGV),
    slot_bytes(EXEC_SLOT_CWD),
  );
  if (program == 0) return 0;
  copy_slot(EXEC_SLOT_IMAGE, program_image(program));
  copy_slot(EXEC_SLOT_ARGV, program_argv(program));
  copy_slot(EXEC_SLOT_CWD, program_cwd(program));
  return program;
}

/** Copies what every header tells of its process into its row. */
function describe(pointer: usize): void {
  const row = row_at(pointer);
  row.parent_pid = load<u32>(record, HEADER_PARENT_PID);
  row.parent_start = load<u64>(record, HEADER_PARENT_START_TIME_NS);
  row.uid = load<u32>(record, HEADER_UID);
  row.gid = load<u32>(record, HEADER_GID);
  row.cgroup = load<u64>(record, HEADER_CGROUP_ID);
  take_label(row);
}

/**
 * The kernel's word counts, unless it is from before the row's label was found here: then that one
 * stays until a record shows that the kernel has it, or a program that the kernel knows starts.
 */
function take_label(row: Row): void {
  const session: u64 = load<u64>(record, HEADER_SESSION);
  const role: u32 = <u32> load<u16>(record, HEADER_ROLE);
  const decided: bool = (load<u32>(record, HEADER_FLAGS) & FLAG_LABELLED) != 0;
  if (row.label_state != LABEL_FROM_KERNEL) {
    if (session == row.session && role == row.role) row.label_state = LABEL_FROM_KERNEL;
    else if (!decided) return;
    // The session that was found here is the older one; the kernel is told of it.
    if (decided && row.session != 0 && session != row.session) {
      row.role = role;
      row.label_state = LABEL_FOUND;
      return;
    }
  }
  if (session != 0) row.session = session;
  if (role != 0) row.role = role;
  if (decided) row.label_state = LABEL_FROM_KERNEL;
}

/**
 * A new process has role and session of the one that started it, until its record or a program of
 * its own has others. When the kernel did not know of that label yet it is told of this one too.
 */
function inherit(origin: usize): void {
  if (origin == 0) return;
  const row = row_at(process);
  const from = row_at(origin);
  row.role = from.role;
  row.session = from.session;
  if (from.label_state != LABEL_FROM_KERNEL) row.label_state = LABEL_FOUND;
}

/** A row for the process of the current record, which has none. */
function make(pid: u32, start: u64): void {
  process = process_make(pid, start);
  // Looked for now: making a row may have evicted the parent's.
  inherit(find_parent());
}

function on_exec(pid: u32, start: u64): void {
  if (process == 0) make(pid, start);
  describe(process);
  row_at(process).real_uid = load<u32>(body, EXEC_REAL_UID);
  process_set_program(process, program_of_record());
}

function on_fork(pid: u32, start: u64): void {
  // Retained before a row is made: making one may evict the parent's.
  const origin: usize = find_parent();
  const program: usize = origin != 0 ? program_retain(<usize> row_at(origin).program) : 0;
  const real_uid: u32 = origin != 0 ? row_at(origin).real_uid : UID_UNKNOWN;
  const known: bool = process != 0;
  if (!known) make(pid, start);
  describe(process);
  if (known && row_at(process).program != 0) {
    // An exec or a snapshot came first and knows better.
    program_release(program);
    return;
  }
  process_set_program(process, program);
  row_at(process).real_uid = real_uid;
}

function on_process(pid: u32, start: u64): void {
  if (process != 0 && row_at(process).program != 0) return;
  if (process == 0) make(pid, start);
  describe(process);
  row_at(process).real_uid = load<u32>(body, EXEC_REAL_UID);
  process_set_program(process, program_of_record());
}

/** Row of the parent that the header names, else of the one that the process's row names, or 0. */
function find_parent(): usize {
  const pid: u32 = load<u32>(record, HEADER_PARENT_PID);
  if (pid != 0) return process_get(pid, load<u64>(record, HEADER_PARENT_START_TIME_NS));
  if (process == 0) return 0;
  const row = row_at(process);
  return row.parent_pid == 0 ? 0 : process_get(row.parent_pid, row.parent_start);
}

/** Feeds the current record to the tables; afterwards `process` and `parent` are its rows. */
export function follow_record(): void {
  if (kind == KIND_USER) {
    if (open_slot(USER_SLOT_NAME)) user_set(load<u32>(record, HEADER_UID), slot_text, slot_length);
    return;
  }
  if (kind == KIND_CGROUP) {
    if (open_slot(CGROUP_SLOT_CONTAINER)) {
      container_set(load<u64>(record, HEADER_CGROUP_ID), slot_text, slot_length);
    }
    return;
  }
  if (kind == KIND_ROLE) {
    const role: u32 = <u32> load<u16>(record, HEADER_ROLE);
    if (open_slot(ROLE_SLOT_NAME)) role_set(role, slot_text, slot_length);
    return;
  }
  if (kind > KIND_PROCESS && kind != KIND_IMAGE_HASH) return; // Other context says nothing of a process.
  const pid: u32 = load<u32>(record, HEADER_PID);
  const start: u64 = load<u64>(record, HEADER_START_TIME_NS);
  process = process_get(pid, start);
  if (kind == KIND_EXEC) on_exec(pid, start);
  else if (kind == KIND_FORK) on_fork(pid, start);
  else if (kind == KIND_PROCESS) on_process(pid, start);
  else if (process == 0) count(STAT_PROCESSES_UNKNOWN);
  else take_label(row_at(process));
  parent = find_parent();
  if (process == 0) return;
  if (parent != 0) process_touch(parent);
  process_touch(process);
  if (kind == KIND_EXIT) process_end(process);
  if (kind == KIND_IDENTITY) {
    describe(process);
    row_at(process).real_uid = load<u32>(body, IDENTITY_REAL_UID);
  }
}

/** A flat event has no process. */
export function forget_process(): void {
  process = 0;
  parent = 0;
}
