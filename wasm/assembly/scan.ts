// The scan: records of BATCH in, hits out. A hit's layout is in wasm/engine/hit.ts.

import { RULE_ROW_BYTES, RULE_ROW_CLASS_MASK, RULE_ROW_LOG_SOURCE } from "../../out/gen/image";
import { KIND_DNS, KIND_FLAT, KIND_FOLDED, KIND_PROCESS, KIND_VERDICT } from "../../out/gen/record";
import { forget_unfinished } from "./budget";
import {
  kind,
  open_record,
  open_slot,
  record_length,
  slot_count,
  slot_length,
  slot_text,
} from "./current";
import { class_mask, field_count, generation, image, publish_staged, rules } from "./image";
import { field_lists_make } from "./field_lists";
import { follow_answer } from "./host_names";
import { label_record } from "./labels";
import { maybe_listed } from "./listed";
import { follow_record, forget_process, parent, process } from "./lifecycle";
import { candidate, candidates } from "./marks";
import { match_record, record_classes } from "./match";
import { BATCH, BATCH_BYTES, HITS, HITS_BYTES } from "./memory";
import { processes_collect, row_at } from "./process_table";
import { rule_holds } from "./rules";
import {
  add,
  count,
  STAT_BYTES_MALFORMED,
  STAT_HITS,
  STAT_HITS_FULL,
  STAT_RECORDS,
  STAT_RECORDS_MALFORMED,
  STAT_RECORDS_MAYBE_LISTED,
  STAT_RECORDS_UNKNOWN_KIND,
  STAT_RULES_RUN,
  STAT_SCANS,
} from "./stats";

@inline const HIT_BYTES: u32 = 32;
@inline const HITS_MAX: u32 = HITS_BYTES / HIT_BYTES;
@inline const NOTHING_PENDING: u32 = 0xffffffff;
@inline const KIND_CONTEXT_FIRST: u32 = 128;
@inline const KIND_CONTEXT_LAST: u32 = 145;
/** Stands for a rule in the hit of a record of which a value may be listed. */
@inline const RULE_LISTED: u32 = 0xffffffff;
/** `publish` while a scan waits for its hits to be drained. */
@inline const ERROR_BUSY: i32 = -12;

let hit_count: u32 = 0;
/** The record whose rules did not all run because HITS was full, and where they stopped. */
let pending_offset: u32 = NOTHING_PENDING;
let pending_candidate: u32 = 0;
let classes: u32 = 0;

/** Hits of the last `scan`. */
export function hits(): u32 {
  return hit_count;
}

/** Makes the staged image the active one; 0 or an ImageError. */
export function publish(): i32 {
  if (pending_offset != NOTHING_PENDING) return ERROR_BUSY;
  const error: i32 = publish_staged();
  if (error != 0) return error;
  field_lists_make();
  forget_unfinished();
  return 0;
}

/** Whether a flat event's log sources take in a rule; a record and an event without them: all. */
function applies(row: usize): bool {
  if ((load<u32>(row, RULE_ROW_CLASS_MASK) & classes) == 0) return false;
  if (kind != KIND_FLAT || !open_slot(field_count)) return true;
  const bit: u32 = load<u32>(row, RULE_ROW_LOG_SOURCE);
  if (bit >> 3 >= slot_length) return false;
  return ((<u32> load<u8>(slot_text + <usize> (bit >> 3)) >> (bit & 7)) & 1) != 0;
}

function write_hit(offset: u32, rule: u32): void {
  const at: usize = HITS + <usize> (hit_count * HIT_BYTES);
  store<u32>(at, offset);
  store<u32>(at, rule, 4);
  store<u32>(at, <u32> process, 8);
  store<u32>(at, process == 0 ? 0 : row_at(process).program, 12);
  store<u32>(at, <u32> parent, 16);
  store<u32>(at, parent == 0 ? 0 : row_at(parent).program, 20);
  store<u32>(at, generation, 24);
  store<u32>(at, 0, 28);
  hit_count++;
}

/** Runs the candidates from number `from`; false when HITS is full before the last one. */
function run_candidates(offset: u32, from: u32): bool {
  for (let i: u32 = from; i < candidates; i++) {
    const rule: u32 = candidate(i);
    const row: usize = rules + <usize> (rule * RULE_ROW_BYTES);
    if (!applies(row)) continue;
    if (hit_count == HITS_MAX) {
      pending_offset = offset;
      pending_candidate = i;
      count(STAT_HITS_FULL);
      return false;
    }
    count(STAT_RULES_RUN);
    if (rule_holds(row)) write_hit(offset, rule);
  }
  return true;
}

/** Hits when a value of the record may be listed, behind its rules; false when HITS is full. */
function tell_listed(offset: u32): bool {
  if (!maybe_listed()) return true;
  if (hit_count == HITS_MAX) {
    pending_offset = offset;
    // Behind the last: none of them runs again.
    pending_candidate = candidates;
    count(STAT_HITS_FULL);
    return false;
  }
  count(STAT_RECORDS_MAYBE_LISTED);
  write_hit(offset, RULE_LISTED);
  return true;
}

/** Looks at the current record for the first time; false when HITS is full. */
function scan_record(offset: u32): bool {
  count(STAT_RECORDS);
  classes = record_classes();
  const is_context: bool = (kind >= KIND_CONTEXT_FIRST && kind <= KIND_CONTEXT_LAST) ||
    kind == KIND_FOLDED || kind == KIND_VERDICT;
  if (classes == 0 && !is_context) {
    count(STAT_RECORDS_UNKNOWN_KIND);
    return true;
  }
  if (kind == KIND_FLAT) forget_process();
  else follow_record();
  if (kind != KIND_FLAT && kind <= KIND_PROCESS) label_record();
  if (kind == KIND_DNS) follow_answer();
  if (image != 0 && (class_mask & classes) != 0) {
    match_record(classes);
    if (!run_candidates(offset, 0)) return false;
  }
  return tell_listed(offset);
}

@inline function well_formed(offset: u32, length: u32): bool {
  if (!open_record(BATCH + <usize> offset, length - offset)) return false;
  return kind != KIND_FLAT || image == 0 || slot_count == field_count + 1;
}

/** The rest of a record whose hits did not fit; false when HITS is full again. */
function resume(length: u32): bool {
  const offset: u32 = pending_offset;
  pending_offset = NOTHING_PENDING;
  return open_record(BATCH + <usize> offset, length - offset) &&
    run_candidates(offset, pending_candidate) && tell_listed(offset);
}

/**
 * Scans the records from `offset` to `length`. Returns where it stopped: `length`, or the offset of
 * the record at which HITS was full (drain it, call again with that offset).
 */
export function scan(offset: u32, length: u32): u32 {
  hit_count = 0;
  const end: u32 = min<u32>(length, BATCH_BYTES);
  if (pending_offset == offset && offset < end) {
    if (!resume(end)) {
      add(STAT_HITS, <f64> hit_count);
      return offset;
    }
    offset += record_length;
  } else {
    pending_offset = NOTHING_PENDING;
    processes_collect();
    count(STAT_SCANS);
  }
  while (offset < end) {
    if (!well_formed(offset, end)) {
      count(STAT_RECORDS_MALFORMED);
      add(STAT_BYTES_MALFORMED, <f64> (end - offset));
      break;
    }
    if (!scan_record(offset)) {
      add(STAT_HITS, <f64> hit_count);
      return offset;
    }
    offset += record_length;
  }
  add(STAT_HITS, <f64> hit_count);
  return length;
}
