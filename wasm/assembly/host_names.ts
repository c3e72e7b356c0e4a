// The name for which this host was last given an address: from DNS answers, asked for by a later
// connect to that address. A fixed table; where it is full near a key the oldest entry gives way.

import { DNS_IS_ANSWER, DNS_SLOT_MESSAGE, DNS_SLOT_NAME } from "../../out/gen/record";
import { body, open_slot, slot_length, slot_text } from "./current";
import { found_address, found_is_ipv6, next_address, open_answer } from "./dns";
import { HOST_NAMES, HOST_NAMES_BYTES } from "./memory";

/** An entry: the address (16 bytes, IPv4 in the first 4), u32 age, u32 length + 1, then the name. */
@inline const ENTRY_BYTES: usize = 288;
@inline const ENTRY_AGE: usize = 16;
@inline const ENTRY_LENGTH: usize = 20;
@inline const ENTRY_TEXT: usize = 24;
@inline const NAME_BYTES_MAX: u32 = 256;
@inline const ENTRIES: u32 = HOST_NAMES_BYTES / <u32> ENTRY_BYTES;
/** Entries that an address may lie in. */
@inline const PROBES: u32 = 8;

/** Counts answers: what was set last is the youngest. */
let age: u32 = 0;

/** The name that `host_name` found. */
export let host_text: usize = 0;
export let host_length: u32 = 0;

@inline function entry_at(first: u32, probe: u32): usize {
  return HOST_NAMES + <usize> ((first + probe) & (ENTRIES - 1)) * ENTRY_BYTES;
}

@inline function high(address: usize, is_ipv6: bool): u64 {
  return is_ipv6 ? load<u64>(address, 8) : 0;
}

@inline function low(address: usize, is_ipv6: bool): u64 {
  return is_ipv6 ? load<u64>(address) : <u64> load<u32>(address);
}

function first_of(address: usize, is_ipv6: bool): u32 {
  const mixed: u64 = (low(address, is_ipv6) ^ high(address, is_ipv6) * 3) * 0x9e3779b97f4a7c15;
  return <u32> (mixed >> 40) & (ENTRIES - 1);
}

@inline function is_of(entry: usize, address: usize, is_ipv6: bool): bool {
  return load<u64>(entry) == low(address, is_ipv6) && load<u64>(entry, 8) == high(address, is_ipv6);
}

function set_name(address: usize, is_ipv6: bool, text: usize, length: u32): void {
  const first: u32 = first_of(address, is_ipv6);
  let chosen: usize = entry_at(first, 0);
  for (let i: u32 = 0; i < PROBES; i++) {
    const entry: usize = entry_at(first, i);
    const is_free: bool = load<u32>(entry, ENTRY_LENGTH) == 0;
    if (is_free || is_of(entry, address, is_ipv6)) {
      chosen = entry;
      break;
    }
    if (load<u32>(entry, ENTRY_AGE) < load<u32>(chosen, ENTRY_AGE)) chosen = entry;
  }
  store<u64>(chosen, low(address, is_ipv6));
  store<u64>(chosen, high(address, is_ipv6), 8);
  store<u32>(chosen, age, ENTRY_AGE);
  store<u32>(chosen, length + 1, ENTRY_LENGTH);
  memory.copy(chosen + ENTRY_TEXT, text, <usize> length);
}

/** Keeps the names of the addresses in the current DNS record, if it is an answer. */
export function follow_answer(): void {
  if (load<u16>(body, DNS_IS_ANSWER) == 0 || !open_slot(DNS_SLOT_MESSAGE)) return;
  open_answer(slot_text, slot_length);
  if (!open_slot(DNS_SLOT_NAME) || slot_length == 0 || slot_length > NAME_BYTES_MAX) return;
  age++;
  while (next_address()) set_name(found_address, found_is_ipv6, slot_text, slot_length);
}

/** Finds the name of an address; false when none is known. */
export function host_name(address: usize, is_ipv6: bool): bool {
  const first: u32 = first_of(address, is_ipv6);
  for (let i: u32 = 0; i < PROBES; i++) {
    const entry: usize = entry_at(first, i);
    if (load<u32>(entry, ENTRY_LENGTH) == 0) return false;
    if (!is_of(entry, address, is_ipv6)) continue;
    host_text = entry + ENTRY_TEXT;
    host_length = load<u32>(entry, ENTRY_LENGTH) - 1;
    return true;
  }
  return false;
}
