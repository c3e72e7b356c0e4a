// The map of the one memory. Static data lies below 64 KiB (the build's low memory limit);
// every region is a constant here and nowhere else. `build/wasm.ts` reads the pages.

/** Pages of 64 KiB at the start. The memory grows once, in `start`, when a larger filter is wanted. */
@inline export const MEMORY_PAGES: u32 = 1984;
/** Pages with the largest filter. */
@inline export const MEMORY_PAGES_MAX: u32 = 4000;

@inline export const BATCH: usize = 0x1_0000;
@inline export const BATCH_BYTES: u32 = 0x10_6000; // 1 MiB + one longest record
@inline export const HITS: usize = BATCH + BATCH_BYTES;
@inline export const HITS_BYTES: u32 = 0x4_0000;
@inline export const IMAGE_A: usize = HITS + HITS_BYTES;
@inline export const IMAGE_BYTES: u32 = 0x200_0000;
@inline export const IMAGE_B: usize = IMAGE_A + IMAGE_BYTES;
@inline export const SCRATCH: usize = IMAGE_B + IMAGE_BYTES;
@inline export const SCRATCH_BYTES: u32 = 0x1_0000;
@inline export const STATS: usize = SCRATCH + SCRATCH_BYTES;
@inline export const STATS_BYTES: u32 = 0x1000;

/** Labels that the kernel is to be told, see labels.ts. */
@inline export const LABELS: usize = STATS + STATS_BYTES;
@inline export const LABELS_BYTES: u32 = 0x8000; // 1,024 x 32 bytes

// Private to the module from here on.

/** u32 an atom: the epoch in which it was found last. */
@inline export const ATOM_EPOCHS: usize = LABELS + LABELS_BYTES;
@inline export const ATOM_EPOCHS_BYTES: u32 = 0x10_0000; // ATOMS_MAX
/** u32 an atom: those found in this epoch, in order. */
@inline export const ATOMS_FOUND: usize = ATOM_EPOCHS + ATOM_EPOCHS_BYTES;
/** u32 a rule: the epoch in which it became a candidate last. */
@inline export const RULE_EPOCHS: usize = ATOMS_FOUND + ATOM_EPOCHS_BYTES;
@inline export const RULE_EPOCHS_BYTES: u32 = 0x1_0000; // RULES_MAX
/** u32 a rule: the candidates of this epoch, in order. */
@inline export const CANDIDATES: usize = RULE_EPOCHS + RULE_EPOCHS_BYTES;
/** Tables of the bit-parallel glob search: u64[256], then two bit arrays of one record. */
@inline export const GLOB_TABLE: usize = CANDIDATES + RULE_EPOCHS_BYTES;
@inline export const GLOB_TABLE_BYTES: u32 = 0x1_1000;
/** u32 an atom: the epoch in which it was put forward last; then those to try, in order. */
@inline export const FORWARD_EPOCHS: usize = GLOB_TABLE + GLOB_TABLE_BYTES;
@inline export const TO_TRY: usize = FORWARD_EPOCHS + ATOM_EPOCHS_BYTES;
/** A value that is kept while another one is found: numbers and addresses are short. */
@inline export const KEPT_VALUE: usize = TO_TRY + ATOM_EPOCHS_BYTES;
@inline export const KEPT_VALUE_BYTES: u32 = 0x1000;
/** Bytes of an address that was read from text. */
@inline export const PARSED_ADDRESS: usize = KEPT_VALUE + KEPT_VALUE_BYTES;
/** Atoms whose test did not end, see budget.ts. */
@inline export const UNFINISHED: usize = PARSED_ADDRESS + 0x800;
/** The value under test, folded, and 16 zeros behind it. */
@inline export const FOLDED: usize = PARSED_ADDRESS + 0x1000;
@inline export const FOLDED_BYTES: u32 = 0x1_0040; // 64 KiB and one step of 16 bytes
/** Short literals that were found in the value under test, see literals.ts. */
@inline export const SHORTS_SEEN: usize = FOLDED + <usize> FOLDED_BYTES;
@inline export const SHORTS_SEEN_BYTES: u32 = 0x1_0100; // u8 for each two bytes, and for each one
/** Fields by kind of record, see field_lists.ts. */
@inline export const FIELD_LISTS: usize = SHORTS_SEEN + <usize> SHORTS_SEEN_BYTES;
@inline export const FIELD_LISTS_BYTES: u32 = 0x2_0000; // 31 lists x (8 + 4 x FIELDS_MAX)
/** u32 a field: the epoch in which its asked literals were looked for last. */
@inline export const ASKED_EPOCHS: usize = FIELD_LISTS + <usize> FIELD_LISTS_BYTES;
@inline export const ASKED_EPOCHS_BYTES: u32 = 0x1000; // FIELDS_MAX
/** States of a regular expression: marks, two lists, a stack of twice as many and one. */
@inline export const REGEX_MARKS: usize = ASKED_EPOCHS + <usize> ASKED_EPOCHS_BYTES;
@inline export const REGEX_LISTS: usize = REGEX_MARKS + 0x8000; // u32 x REGEX_STATES_MAX
@inline export const REGEX_STACK: usize = REGEX_LISTS + 0x1_1000;
/** Names of users and roles, see name_table.ts. */
@inline export const USERS: usize = REGEX_STACK + 0x2_0000;
@inline export const USERS_BYTES: u32 = 0x1_0000; // 64 bytes x USERS_MAX (1,024)
@inline export const ROLES: usize = USERS + USERS_BYTES;
@inline export const ROLES_BYTES: u32 = 0x4000; // 64 bytes x ROLES_MAX (256)
/** Containers of cgroups, see container_table.ts. */
@inline export const CONTAINERS: usize = ROLES + ROLES_BYTES;
@inline export const CONTAINERS_BYTES: u32 = 0x1_4000; // 80 bytes x 1,024
/** Names of addresses, see host_names.ts. */
@inline export const HOST_NAMES: usize = CONTAINERS + CONTAINERS_BYTES;
@inline export const HOST_NAMES_BYTES: u32 = 0x12_0000; // 288 bytes x 4,096
/** Heads of the process index, then the rows. */
@inline export const PROCESS_INDEX: usize = HOST_NAMES + HOST_NAMES_BYTES;
@inline export const PROCESS_INDEX_BYTES: u32 = 0x4_0000; // u32 x 65,536
@inline export const PROCESS_ROWS: usize = PROCESS_INDEX + PROCESS_INDEX_BYTES;
@inline export const PROCESS_ROWS_BYTES: u32 = 0x60_0000; // 96 bytes x PROCESSES_MAX
/** One byte a smallest block of the arena. */
@inline export const ARENA_STATES: usize = PROCESS_ROWS + PROCESS_ROWS_BYTES;
@inline export const ARENA_STATES_BYTES: u32 = 0x4_0000;
@inline export const ARENA: usize = (ARENA_STATES + ARENA_STATES_BYTES + 0xFFFF) & ~0xFFFF;
@inline export const ARENA_BYTES: u32 = 0x200_0000;
/** The Bloom filter is the last region, 64 KiB behind the arena: a value is read in steps of 16 bytes. */
@inline export const BLOOM: usize = ARENA + ARENA_BYTES + 0x1_0000;
@inline export const BLOOM_BYTES: u32 = 0x20_0000;
@inline export const BLOOM_BYTES_MAX: u32 = 0x800_0000;
/** Bytes of that region; `start` sets it. */
export let bloom_bytes: u32 = BLOOM_BYTES;

/** Makes room for a filter of that many bytes; false when the memory cannot have it. */
export function bloom_reserve(bytes: u32): bool {
  if (bytes > BLOOM_BYTES_MAX) return false;
  bloom_bytes = max<u32>(bytes, BLOOM_BYTES);
  const pages: i32 = <i32> ((BLOOM + <usize> bloom_bytes + 0xFFFF) >> 16);
  const missing: i32 = pages - memory.size();
  return missing <= 0 || memory.grow(missing) >= 0;
}

/** Place of a region that the host may see; 0 for a number that is none. */
export function region(id: u32): usize {
  if (id == 0) return BATCH;
  if (id == 1) return HITS;
  if (id == 2) return IMAGE_A;
  if (id == 3) return IMAGE_B;
  if (id == 4) return BLOOM;
  if (id == 5) return SCRATCH;
  if (id == 6) return STATS;
  if (id == 7) return LABELS;
  return 0;
}

/** Bytes of that region. */
export function region_bytes(id: u32): u32 {
  if (id == 0) return BATCH_BYTES;
  if (id == 1) return HITS_BYTES;
  if (id == 2 || id == 3) return IMAGE_BYTES;
  if (id == 4) return bloom_bytes;
  if (id == 5) return SCRATCH_BYTES;
  if (id == 6) return STATS_BYTES;
  if (id == 7) return LABELS_BYTES;
  return 0;
}
