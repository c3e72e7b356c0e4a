// Containers by the id of their cgroup, from context records. A fixed table; where it is full near a
// key the first entry gives way.

import { CONTAINERS, CONTAINERS_BYTES } from "./memory";

/** An entry: u64 id of the cgroup, u32 length (0 = free), u32 0, then the container's id. */
@inline const ENTRY_BYTES: usize = 80;
@inline const ENTRY_LENGTH: usize = 8;
@inline const ENTRY_TEXT: usize = 16;
@inline const ID_BYTES_MAX: u32 = 64;
@inline const ENTRIES: u32 = CONTAINERS_BYTES / <u32> ENTRY_BYTES;
/** Entries that an id may lie in. */
@inline const PROBES: u32 = 8;

/** The container that `container_of` found. */
export let container_text: usize = 0;
export let container_length: u32 = 0;

@inline function entry_at(cgroup: u64, probe: u32): usize {
  const first: u32 = <u32> ((cgroup * 0x9e3779b97f4a7c15) >> 40);
  return CONTAINERS + <usize> ((first + probe) % ENTRIES) * ENTRY_BYTES;
}

/** Notes the container of a cgroup; one without is not noted. */
export function container_set(cgroup: u64, text: usize, length: u32): void {
  if (length == 0 || length > ID_BYTES_MAX) return;
  let entry: usize = entry_at(cgroup, 0);
  for (let i: u32 = 0; i < PROBES; i++) {
    const at: usize = entry_at(cgroup, i);
    if (load<u32>(at, ENTRY_LENGTH) != 0 && load<u64>(at) != cgroup) continue;
    entry = at;
    break;
  }
  store<u64>(entry, cgroup);
  store<u32>(entry, length, ENTRY_LENGTH);
  memory.copy(entry + ENTRY_TEXT, text, <usize> length);
}

/** Finds the container of a cgroup. */
export function container_of(cgroup: u64): bool {
  for (let i: u32 = 0; i < PROBES; i++) {
    const at: usize = entry_at(cgroup, i);
    if (load<u32>(at, ENTRY_LENGTH) == 0 || load<u64>(at) != cgroup) continue;
    container_text = at + ENTRY_TEXT;
    container_length = load<u32>(at, ENTRY_LENGTH);
    return true;
  }
  return false;
}

/** The same for the host: pointer of u64 cgroup; the length, or 0; the text's place goes behind it. */
export function container_find(pointer: usize): u32 {
  if (!container_of(load<u64>(pointer))) return 0;
  store<u32>(pointer, <u32> container_text, 8);
  return container_length;
}
