// Atoms that were found in the texts of a program, kept with it: a process is matched once, its later
// events only mark what was found. A program has them in three groups, as it stands in other fields
// when it is the process of an event, the parent, or an ancestor. Those of another image are stale and
// are found anew when they are asked for, so that a new image makes no pause.

import {
  arena_block_bytes,
  ARENA_BLOCK_BYTES_MAX,
  arena_free_bytes,
  arena_give,
  arena_order,
  arena_take,
} from "./arena";
import { generation } from "./image";
import { atoms_found, mark_atom } from "./marks";
import { ARENA_BYTES, ATOMS_FOUND } from "./memory";
import { add, count, STAT_ATOMS_NOT_KEPT, STAT_KEPT_BYTES } from "./stats";

/** Groups of fields: of the process, of its parent, of its ancestors. */
@inline export const GROUP_PROCESS: u32 = 0;
@inline export const GROUP_PARENT: u32 = 1;
@inline export const GROUP_ANCESTOR: u32 = 2;
@inline export const GROUPS: u32 = 3;

/** Where a program has its groups: for each a block (0 = no atoms) and the image's generation. */
@inline const KEPT: usize = 24;
@inline const KEPT_BYTES: usize = 8;
/** A block: order in the arena, number of atoms, then these. */
@inline const BLOCK_HEADER_BYTES: u32 = 8;
/** Bytes of the arena that are left to programs. */
@inline const FREE_BYTES_MIN: u32 = ARENA_BYTES / 16;

@inline function place(program: usize, group: u32): usize {
  return program + KEPT + <usize> group * KEPT_BYTES;
}

/** Whether the atoms of a group are known under the active image. */
@inline export function kept_is_known(program: usize, group: u32): bool {
  return load<u32>(place(program, group), 4) == generation;
}

/** Marks the atoms of a group; false when they are not known under the active image. */
export function kept_mark(program: usize, group: u32): bool {
  if (!kept_is_known(program, group)) return false;
  const block: usize = <usize> load<u32>(place(program, group));
  if (block == 0) return true;
  const first: usize = block + <usize> BLOCK_HEADER_BYTES;
  const end: usize = first + (<usize> load<u32>(block, 4) << 2);
  for (let atom: usize = first; atom < end; atom += 4) mark_atom(load<u32>(atom));
  return true;
}

/** Gives the block of a group back. */
export function kept_give(program: usize, group: u32): void {
  const at: usize = place(program, group);
  const block: usize = <usize> load<u32>(at);
  store<u64>(at, 0);
  if (block == 0) return;
  const order: u32 = load<u32>(block);
  arena_give(block, order);
  add(STAT_KEPT_BYTES, -<f64> arena_block_bytes(order));
}

/** A block for that many atoms, or 0. */
function take_block(atoms: u32): usize {
  const bytes: u64 = <u64> BLOCK_HEADER_BYTES + (<u64> atoms << 2);
  if (bytes > <u64> ARENA_BLOCK_BYTES_MAX || arena_free_bytes() < FREE_BYTES_MIN) return 0;
  const order: u32 = arena_order(<u32> bytes);
  const block: usize = arena_take(order);
  if (block == 0) return 0;
  store<u32>(block, order);
  store<u32>(block, atoms, 4);
  add(STAT_KEPT_BYTES, <f64> arena_block_bytes(order));
  return block;
}

/** Keeps all atoms that are marked as those of a group. What has no room is counted. */
export function kept_store(program: usize, group: u32): void {
  kept_give(program, group);
  let block: usize = 0;
  if (atoms_found != 0) {
    block = take_block(atoms_found);
    if (block == 0) {
      count(STAT_ATOMS_NOT_KEPT);
      return;
    }
    const first: usize = block + <usize> BLOCK_HEADER_BYTES;
    memory.copy(first, ATOMS_FOUND, <usize> atoms_found << 2);
  }
  const at: usize = place(program, group);
  store<u32>(at, <u32> block);
  store<u32>(at, generation, 4);
}
