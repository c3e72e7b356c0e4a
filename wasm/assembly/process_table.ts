// The process table: rows by (pid, start time), chained by pid. Every row is on one of three lists:
// free, live (least lately seen first), ended (oldest end first).

import { arena_free_bytes } from "./arena";
import {
  ARENA_BYTES,
  PROCESS_INDEX,
  PROCESS_INDEX_BYTES,
  PROCESS_ROWS,
  PROCESS_ROWS_BYTES,
} from "./memory";
import { program_release, programs_collect, programs_start } from "./program";
import {
  add,
  count,
  STAT_EXITS_MISSED,
  STAT_PROCESSES_ENDED,
  STAT_PROCESSES_EVICTED_ENDED,
  STAT_PROCESSES_EVICTED_LIVE,
  STAT_PROCESSES_LIVE,
  STAT_PROGRAMS_EVICTED_LIVE,
} from "./stats";

@inline export const PROCESSES_MIN: u32 = 4;
@inline export const PROCESSES_MAX: u32 = 65536;
/** Arena bytes kept free at the start of a scan: more than one batch can take. */
@inline const ARENA_RESERVE_BYTES: u32 = ARENA_BYTES / 8;
@inline const INDEX_MASK: u32 = PROCESS_INDEX_BYTES / 4 - 1;

@inline const LIVE: u32 = 1;
@inline const ENDED: u32 = 2;
/** `real_uid` that nobody told. */
@inline export const UID_UNKNOWN: u32 = 0xffffffff;

/** Members up to `role` are read by wasm/engine/process_row.ts. */
@unmanaged export class Row {
  pid: u32;
  state: u32;
  start: u64;
  parent_start: u64;
  parent_pid: u32;
  uid: u32;
  cgroup: u64;
  session: u64;
  gid: u32;
  real_uid: u32;
  program: u32;
  role: u32;
  chain: u32;
  previous: u32;
  next: u32;
  /** What the kernel knows of role and session, see labels.ts. */
  label_state: u32;
}

let limit: u32 = 0;
let used: u32 = 0;
let free_head: usize = 0;
let live_head: usize = 0;
let live_tail: usize = 0;
let ended_head: usize = 0;
let ended_tail: usize = 0;

@inline export function row_at(pointer: usize): Row {
  return changetype<Row>(pointer);
}

/** Empties the table; `processes` rows are used at most. */
export function processes_start(processes: u32): void {
  limit = min<u32>(max<u32>(processes, PROCESSES_MIN), PROCESSES_MAX);
  limit = min<u32>(limit, PROCESS_ROWS_BYTES / <u32> offsetof<Row>());
  used = 0;
  free_head = live_head = live_tail = ended_head = ended_tail = 0;
  memory.fill(PROCESS_INDEX, 0, PROCESS_INDEX_BYTES);
  programs_start();
}

/** Pids that live at the same time are near each other: so are their places, and few share one. */
@inline function index_of(pid: u32): usize {
  return PROCESS_INDEX + <usize> ((pid & INDEX_MASK) << 2);
}

/** A row by its key, or 0. Start time 0 finds the live row of that pid. */
export function process_get(pid: u32, start: u64): usize {
  let at: usize = <usize> load<u32>(index_of(pid));
  while (at != 0) {
    const row = row_at(at);
    if (row.pid == pid && (start == 0 ? row.state == LIVE : row.start == start)) return at;
    at = <usize> row.chain;
  }
  return 0;
}

@inline export function is_live(pointer: usize): bool {
  return row_at(pointer).state == LIVE;
}

function append(pointer: usize, state: u32): void {
  const row = row_at(pointer);
  const tail: usize = state == LIVE ? live_tail : ended_tail;
  row.state = state;
  row.previous = <u32> tail;
  row.next = 0;
  if (tail != 0) row_at(tail).next = <u32> pointer;
  if (state == LIVE) {
    live_tail = pointer;
    if (tail == 0) live_head = pointer;
  } else {
    ended_tail = pointer;
    if (tail == 0) ended_head = pointer;
  }
}

function detach(pointer: usize): void {
  const row = row_at(pointer);
  const previous: usize = <usize> row.previous;
  const next: usize = <usize> row.next;
  if (previous != 0) row_at(previous).next = <u32> next;
  else if (row.state == LIVE) live_head = next;
  else ended_head = next;
  if (next != 0) row_at(next).previous = <u32> previous;
  else if (row.state == LIVE) live_tail = previous;
  else ended_tail = previous;
}

function unindex(pointer: usize): void {
  const head: usize = index_of(row_at(pointer).pid);
  if (<usize> load<u32>(head) == pointer) {
    store<u32>(head, row_at(pointer).chain);
    return;
  }
  let at: usize = <usize> load<u32>(head);
  while (<usize> row_at(at).chain != pointer) at = <usize> row_at(at).chain;
  row_at(at).chain = row_at(pointer).chain;
}

/** Takes a row out of the table and puts it on the free list. */
function evict(pointer: usize): void {
  const row = row_at(pointer);
  const live: bool = row.state == LIVE;
  add(live ? STAT_PROCESSES_LIVE : STAT_PROCESSES_ENDED, -1);
  count(live ? STAT_PROCESSES_EVICTED_LIVE : STAT_PROCESSES_EVICTED_ENDED);
  detach(pointer);
  unindex(pointer);
  program_release(<usize> row.program);
  row.program = 0;
  row.pid = 0;
  row.state = 0;
  row.next = <u32> free_head;
  free_head = pointer;
}

function take(): usize {
  if (free_head == 0 && used < limit) {
    const fresh: usize = PROCESS_ROWS + <usize> used * offsetof<Row>();
    used++;
    return fresh;
  }
  if (free_head == 0) evict(ended_head != 0 ? ended_head : live_head);
  const pointer: usize = free_head;
  free_head = <usize> row_at(pointer).next;
  return pointer;
}

/** A new live row. A live row of the same pid is ended: its exit was missed. */
export function process_make(pid: u32, start: u64): usize {
  const older: usize = process_get(pid, 0);
  if (older != 0) {
    count(STAT_EXITS_MISSED);
    process_end(older);
  }
  const pointer: usize = take();
  memory.fill(pointer, 0, offsetof<Row>());
  const row = row_at(pointer);
  row.pid = pid;
  row.start = start;
  row.real_uid = UID_UNKNOWN;
  row.chain = load<u32>(index_of(pid));
  store<u32>(index_of(pid), <u32> pointer);
  append(pointer, LIVE);
  count(STAT_PROCESSES_LIVE);
  return pointer;
}

/** Marks a live row as lately seen. */
export function process_touch(pointer: usize): void {
  if (!is_live(pointer) || pointer == live_tail) return;
  detach(pointer);
  append(pointer, LIVE);
}

/** Marks a row as ended; it stays until its place is needed. */
export function process_end(pointer: usize): void {
  if (!is_live(pointer)) return;
  detach(pointer);
  append(pointer, ENDED);
  add(STAT_PROCESSES_LIVE, -1);
  count(STAT_PROCESSES_ENDED);
}

/** Replaces the program of a row; the reference passes to the row. */
export function process_set_program(pointer: usize, program: usize): void {
  const row = row_at(pointer);
  program_release(<usize> row.program);
  row.program = <u32> program;
}

/**
 * At the start of a scan: frees what nobody points at, then keeps a reserve in the arena: rows that
 * ended go, oldest first, then live rows lose their program, least lately seen first.
 */
export function processes_collect(): void {
  programs_collect();
  while (arena_free_bytes() < ARENA_RESERVE_BYTES && ended_head != 0) {
    evict(ended_head);
    programs_collect();
  }
  let at: usize = live_head;
  while (arena_free_bytes() < ARENA_RESERVE_BYTES && at != 0) {
    if (row_at(at).program != 0) count(STAT_PROGRAMS_EVICTED_LIVE);
    process_set_program(at, 0);
    programs_collect();
    at = <usize> row_at(at).next;
  }
}

/** The same for the host: the start time is a u64 at `start_pointer`. */
export function process_find(pid: u32, start_pointer: usize): usize {
  return process_get(pid, load<u64>(start_pointer));
}

/** The live row that was seen least lately; 0 = none. */
export function process_first(): usize {
  return live_head;
}

/** The live row after another live one; 0 = it was the last. */
export function process_next(pointer: usize): usize {
  return <usize> row_at(pointer).next;
}
