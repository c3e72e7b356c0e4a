// What the module exports; the contract is specs/hot_path.md.

import { bloom_reserve } from "./memory";
import { processes_start } from "./process_table";

export {
  forget_unfinished,
  set_budget,
  steps_taken,
  unfinished_atom,
  unfinished_count,
} from "./budget";
export { bloom_add, bloom_configure, bloom_has } from "./bloom";
export { in_network } from "./address_text";
export { glob as glob_match } from "./glob";
export { stage, stage_some } from "./image";
export { publish_row } from "./image_check";
export { forget_labels, labels } from "./labels";
export { listed_ask } from "./listed";
export { container_find } from "./container_table";
export { literals_found, literals_run } from "./literals_run";
export { mask, mask_text } from "./mask";
export { region, region_bytes } from "./memory";
export { parse_number_at } from "./number_text";
export { regex_check, regex_run } from "./regex";
export { time_part } from "./time_text";
export { murmur3_x64_128, murmur3_x86_32 } from "./murmur3";
export { process_find, process_first, process_next } from "./process_table";
export { hits, publish, scan } from "./scan";
export { stats_count } from "./stats";
export { write_decimal, write_hex64, write_ipv4, write_ipv6 } from "./text";

@inline const ERROR_STARTED: i32 = -1;
@inline const ERROR_MEMORY: i32 = -2;

let started: bool = false;

/**
 * Lays out all regions for that many processes and a filter of so many bytes, 2 MiB at least; 0, -1
 * when called twice, -2 without the memory.
 */
export function start(processes: u32, bloom_bytes: u32): i32 {
  if (started) return ERROR_STARTED;
  if (!bloom_reserve(bloom_bytes)) return ERROR_MEMORY;
  started = true;
  processes_start(processes);
  return 0;
}
