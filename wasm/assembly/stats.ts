// Counters in the STATS region, each an f64 (exact to 2^53, and no BigInt on the other side). Their
// order is that of STAT_NAMES in wasm/engine/stats.ts; numbers are only appended.

import { STATS } from "./memory";

@inline export const STAT_SCANS: usize = 0;
@inline export const STAT_RECORDS: usize = 1;
@inline export const STAT_RECORDS_MALFORMED: usize = 2;
@inline export const STAT_BYTES_MALFORMED: usize = 3;
@inline export const STAT_RECORDS_UNKNOWN_KIND: usize = 4;
@inline export const STAT_HITS: usize = 5;
@inline export const STAT_HITS_FULL: usize = 6;
@inline export const STAT_RULES_RUN: usize = 7;
@inline export const STAT_PROCESSES_LIVE: usize = 8;
@inline export const STAT_PROCESSES_ENDED: usize = 9;
@inline export const STAT_PROCESSES_EVICTED_ENDED: usize = 10;
@inline export const STAT_PROCESSES_EVICTED_LIVE: usize = 11;
@inline export const STAT_PROCESSES_UNKNOWN: usize = 12;
@inline export const STAT_EXITS_MISSED: usize = 13;
@inline export const STAT_PROGRAMS: usize = 14;
@inline export const STAT_PROGRAM_BYTES: usize = 15;
@inline export const STAT_PROGRAMS_REFUSED: usize = 16;
@inline export const STAT_PROGRAMS_EVICTED_LIVE: usize = 17;
@inline export const STAT_USERS_REFUSED: usize = 18;
@inline export const STAT_ROLES_REFUSED: usize = 19;
@inline export const STAT_RECORDS_MASKED: usize = 20;
@inline export const STAT_BYTES_MASKED: usize = 21;
@inline export const STAT_GLOB_FALLBACKS: usize = 22;
@inline export const STAT_IMAGES_REFUSED: usize = 23;
@inline export const STAT_TESTS_UNFINISHED: usize = 24;
@inline export const STAT_KEPT_BYTES: usize = 25;
@inline export const STAT_ATOMS_NOT_KEPT: usize = 26;
@inline export const STAT_LABELS_DELAYED: usize = 27;
@inline export const STAT_RECORDS_MAYBE_LISTED: usize = 28;
@inline export const STAT_COUNT: u32 = 29;

/** Adds to a counter. */
@inline export function add(stat: usize, amount: f64): void {
  const at: usize = STATS + (stat << 3);
  store<f64>(at, load<f64>(at) + amount);
}

/** Adds one to a counter. */
@inline export function count(stat: usize): void {
  add(stat, 1);
}

/** How many counters there are. */
export function stats_count(): u32 {
  return STAT_COUNT;
}
