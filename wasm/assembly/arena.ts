// Buddy allocator (Knowlton 1965) over the ARENA region: blocks of 128 bytes to 32 KiB, each a
// power of two. A block that is given back is kept as it is, for the next one of its size; when none
// can be taken any more, all of these are merged again where both halves are free.

import { ARENA, ARENA_BYTES, ARENA_STATES, ARENA_STATES_BYTES } from "./memory";

@inline const BLOCK_SHIFT: u32 = 7;
/** Blocks of order n have 128 << n bytes. */
@inline const ORDER_MAX: u32 = 8;
@inline export const ARENA_BLOCK_BYTES_MAX: u32 = 1 << (BLOCK_SHIFT + ORDER_MAX);

/** Heads of the free lists, one an order; a free block holds next and previous. */
const free_heads = memory.data(36);
let free_bytes: u32 = 0;
/** Heads of the lists of blocks that were given back, one an order; such a block holds the next. */
const kept_heads = memory.data(36);

@inline function kept_of(order: u32): usize {
  return kept_heads + <usize> (order << 2);
}

@inline function head_of(order: u32): usize {
  return free_heads + <usize> (order << 2);
}

/** A smallest block's state: order + 1 when a free block starts there, else 0. */
@inline function state_of(block: usize): usize {
  return ARENA_STATES + ((block - ARENA) >> <usize> BLOCK_SHIFT);
}

@inline export function arena_free_bytes(): u32 {
  return free_bytes;
}

/** Bytes of a block of that order. */
@inline export function arena_block_bytes(order: u32): u32 {
  return <u32> 1 << (order + BLOCK_SHIFT);
}

/** Smallest order whose blocks hold that many bytes; over ORDER_MAX when none does. */
export function arena_order(bytes: u32): u32 {
  let order: u32 = 0;
  while (arena_block_bytes(order) < bytes && order <= ORDER_MAX) order++;
  return order;
}

function push(block: usize, order: u32): void {
  const head: usize = <usize> load<u32>(head_of(order));
  store<u32>(block, <u32> head);
  store<u32>(block, 0, 4);
  if (head != 0) store<u32>(head, <u32> block, 4);
  store<u32>(head_of(order), <u32> block);
  store<u8>(state_of(block), <u8> (order + 1));
}

function unlink(block: usize, order: u32): void {
  const next: usize = <usize> load<u32>(block);
  const previous: usize = <usize> load<u32>(block, 4);
  if (next != 0) store<u32>(next, <u32> previous, 4);
  if (previous != 0) store<u32>(previous, <u32> next);
  else store<u32>(head_of(order), <u32> next);
  store<u8>(state_of(block), 0);
}

/** Makes the whole region free. */
export function arena_start(): void {
  memory.fill(ARENA_STATES, 0, ARENA_STATES_BYTES);
  memory.fill(free_heads, 0, 36);
  memory.fill(kept_heads, 0, 36);
  const step: usize = <usize> ARENA_BLOCK_BYTES_MAX;
  for (let at: usize = ARENA + ARENA_BYTES; at > ARENA; at -= step) push(at - step, ORDER_MAX);
  free_bytes = ARENA_BYTES;
}

/** A block of that order that was never given back, or not since the last merge; or 0. */
function take_fresh(order: u32): usize {
  let found: u32 = order;
  while (found <= ORDER_MAX && load<u32>(head_of(found)) == 0) found++;
  if (found > ORDER_MAX) return 0;
  const block: usize = <usize> load<u32>(head_of(found));
  unlink(block, found);
  while (found > order) {
    found--;
    push(block + <usize> arena_block_bytes(found), found);
  }
  return block;
}

/** A block of that order, or 0 when there is none. */
export function arena_take(order: u32): usize {
  let block: usize = <usize> load<u32>(kept_of(order));
  if (block != 0) store<u32>(kept_of(order), load<u32>(block));
  else {
    block = take_fresh(order);
    if (block == 0 && merge_kept()) block = take_fresh(order);
    if (block == 0) return 0;
  }
  free_bytes -= arena_block_bytes(order);
  return block;
}

/** Gives a block of that order back. */
export function arena_give(block: usize, order: u32): void {
  free_bytes += arena_block_bytes(order);
  store<u32>(block, load<u32>(kept_of(order)));
  store<u32>(kept_of(order), <u32> block);
}

/** Merges all blocks that were given back; false when there are none. */
function merge_kept(): bool {
  let any: bool = false;
  for (let order: u32 = 0; order <= ORDER_MAX; order++) {
    let block: usize = <usize> load<u32>(kept_of(order));
    store<u32>(kept_of(order), 0);
    while (block != 0) {
      const next: usize = <usize> load<u32>(block);
      merge(block, order);
      block = next;
      any = true;
    }
  }
  return any;
}

/** Makes a block free, together with its other half when that is free too, and so on. */
function merge(block: usize, order: u32): void {
  while (order < ORDER_MAX) {
    const size: usize = <usize> arena_block_bytes(order);
    const buddy: usize = ARENA + ((block - ARENA) ^ size);
    if (<u32> load<u8>(state_of(buddy)) != order + 1) break;
    unlink(buddy, order);
    if (buddy < block) block = buddy;
    order++;
  }
  push(block, order);
}
