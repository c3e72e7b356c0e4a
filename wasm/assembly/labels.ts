// Role and session of processes. The kernel gives those that it can tell by itself and writes them
// into its records (specs/labels.md); the others are found here, at exec, from the role rules of the
// image, are passed on to children, and are put down for the kernel, so that it has them from then on.

import {
  CLASSES_ROLE,
  RULE_ROW_BYTES,
  RULE_ROW_CLASS_MASK,
  RULE_ROW_ROLE,
} from "../../out/gen/image";
import {
  HEADER_ROLE,
  HEADER_SESSION,
  HEADER_TIME_NS,
  KIND_EXEC,
  KIND_EXIT,
  KIND_PROCESS,
} from "../../out/gen/record";
import { kind, record } from "./current";
import { class_mask, rules } from "./image";
import { LABEL_FOUND, LABEL_FROM_KERNEL, LABEL_TOLD, process } from "./lifecycle";
import { candidate, candidates } from "./marks";
import { match_process } from "./match";
import { LABELS, LABELS_BYTES } from "./memory";
import { Row, row_at } from "./process_table";
import { rule_holds } from "./rules";
import { count, STAT_LABELS_DELAYED } from "./stats";

@inline const NO_RULE: u32 = 0xffffffff;
/** `struct immune_label` of the loader: u64 start, u64 session, u64 time, u32 pid, u32 role. */
@inline const LABEL_BYTES: u32 = 32;
@inline const LABELS_MAX: u32 = LABELS_BYTES / LABEL_BYTES;

let label_count: u32 = 0;

/** The session that begins with a process: a hash of its key (splitmix64, Steele et al. 2014). */
function session_of(row: Row): u64 {
  let hash: u64 = row.start ^ (<u64> row.pid << 40);
  hash += 0x9e3779b97f4a7c15;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  hash ^= hash >> 31;
  return hash == 0 ? 1 : hash;
}

/** The first role rule that holds on the program of the current process, or NO_RULE. */
function role_rule(): u32 {
  match_process(CLASSES_ROLE);
  let first: u32 = NO_RULE;
  for (let i: u32 = 0; i < candidates; i++) {
    const rule: u32 = candidate(i);
    const row: usize = rules + <usize> (rule * RULE_ROW_BYTES);
    if (rule >= first || (load<u32>(row, RULE_ROW_CLASS_MASK) & CLASSES_ROLE) == 0) continue;
    if (rule_holds(row)) first = rule;
  }
  return first;
}

/** Gives a process that starts a program its role; one that has none before begins a session. */
function label_program(row: Row): void {
  const rule: u32 = role_rule();
  if (rule == NO_RULE) return;
  const role: u32 = <u32> load<u16>(rules + <usize> (rule * RULE_ROW_BYTES), RULE_ROW_ROLE);
  const session: u64 = row.session == 0 ? session_of(row) : row.session;
  if (row.role == role && row.session == session) return;
  row.role = role;
  row.session = session;
  row.label_state = LABEL_FOUND;
}

/** Puts the label of a row down for the kernel; a full list leaves it for the process's next record. */
function tell(row: Row): void {
  if (label_count == LABELS_MAX) {
    count(STAT_LABELS_DELAYED);
    return;
  }
  const at: usize = LABELS + <usize> (label_count * LABEL_BYTES);
  store<u64>(at, row.start);
  store<u64>(at, row.session, 8);
  store<u64>(at, load<u64>(record, HEADER_TIME_NS), 16);
  store<u32>(at, row.pid, 24);
  store<u32>(at, row.role, 28);
  label_count++;
  row.label_state = LABEL_TOLD;
}

/** Labels found since the last call of `forget_labels`. */
export function labels(): u32 {
  return label_count;
}

/** Empties the list: the kernel was told. */
export function forget_labels(): void {
  label_count = 0;
}

/** Labels the process of the current record, then the record. */
export function label_record(): void {
  if (process == 0) return;
  const row = row_at(process);
  const is_start: bool = kind == KIND_EXEC || kind == KIND_PROCESS;
  if (is_start && (class_mask & CLASSES_ROLE) != 0) label_program(row);
  if (row.label_state == LABEL_FOUND && kind != KIND_EXIT) tell(row);
  const told: u32 = <u32> load<u16>(record, HEADER_ROLE);
  if (told != 0 && row.label_state == LABEL_FROM_KERNEL) return;
  if (row.session == 0) return;
  store<u16>(record, <u16> row.role, HEADER_ROLE);
  store<u64>(record, row.session, HEADER_SESSION);
}
