// Names by number (uid, role) in a fixed region: open addressing, entries of 64 bytes: u32 key,
// u32 length + 1 (0 = free entry), then the name. Bounded; what does not fit is refused.

@inline const ENTRY_BYTES: usize = 64;
@inline const ENTRY_TEXT: usize = 8;
/** Longest name kept, in bytes; a longer one is refused, not cut: a cut name is another name. */
@inline const NAME_BYTES_MAX: u32 = 56;
/** Entries looked at for one key, so that a full table stays cheap. */
@inline const PROBES_MAX: u32 = 64;

@inline function slot_of(key: u32, capacity: u32): u32 {
  return (key * 0x9e3779b1) >> 7 & (capacity - 1);
}

/** The entry of a key, or the free one where it would go, or 0 when no entry near is free. */
function locate(table: usize, bytes: u32, key: u32): usize {
  const capacity: u32 = bytes / <u32> ENTRY_BYTES;
  let slot: u32 = slot_of(key, capacity);
  for (let i: u32 = 0; i < PROBES_MAX; i++, slot = (slot + 1) & (capacity - 1)) {
    const entry: usize = table + <usize> slot * ENTRY_BYTES;
    if (load<u32>(entry, 4) == 0 || load<u32>(entry) == key) return entry;
  }
  return 0;
}

/** Sets a name. Returns false when it is refused. */
export function name_set(table: usize, bytes: u32, key: u32, text: usize, length: u32): bool {
  if (length > NAME_BYTES_MAX) return false;
  const entry: usize = locate(table, bytes, key);
  if (entry == 0) return false;
  store<u32>(entry, key);
  store<u32>(entry, length + 1, 4);
  memory.copy(entry + ENTRY_TEXT, text, <usize> length);
  return true;
}

/** The entry of a key, or 0. */
export function name_entry(table: usize, bytes: u32, key: u32): usize {
  const entry: usize = locate(table, bytes, key);
  return entry != 0 && load<u32>(entry, 4) != 0 ? entry : 0;
}

/** Where an entry's name starts. */
@inline export function name_text(entry: usize): usize {
  return entry + ENTRY_TEXT;
}

/** Its bytes. */
@inline export function name_length(entry: usize): u32 {
  return load<u32>(entry, 4) - 1;
}
