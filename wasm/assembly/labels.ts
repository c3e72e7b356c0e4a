// Role and session of processes whose records carry none: found at exec from the role rules of the
// image, passed on to children. A record that has them from the kernel is left as it is.

import {
  CLASSES_ROLE,
  RULE_ROW_BYTES,
  RULE_ROW_CLASS_MASK,
  RULE_ROW_ROLE,
} from "../../out/gen/image";
import { HEADER_ROLE, HEADER_SESSION, KIND_EXEC, KIND_PROCESS } from "../../out/gen/record";
import { kind, record } from "./current";
import { class_mask, rules } from "./image";
import { process } from "./lifecycle";
import { candidate, candidates } from "./marks";
import { match_process } from "./match";
import { Row, row_at } from "./process_table";
import { rule_holds } from "./rules";

@inline const NO_RULE: u32 = 0xffffffff;

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
  row.role = <u32> load<u16>(rules + <usize> (rule * RULE_ROW_BYTES), RULE_ROW_ROLE);
  if (row.session == 0) row.session = session_of(row);
}

/** Labels the process of the current record, then the record. */
export function label_record(): void {
  if (process == 0) return;
  const row = row_at(process);
  const is_start: bool = kind == KIND_EXEC || kind == KIND_PROCESS;
  const is_told: bool = load<u16>(record, HEADER_ROLE) != 0;
  if (is_start && !is_told && (class_mask & CLASSES_ROLE) != 0) label_program(row);
  if (!is_told) store<u16>(record, <u16> row.role, HEADER_ROLE);
  if (load<u64>(record, HEADER_SESSION) == 0) store<u64>(record, row.session, HEADER_SESSION);
}
