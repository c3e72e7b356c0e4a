// Programs: what a process runs (image, argv, working directory), counted by reference because a
// fork shares it. One that lost its last reference waits until the next scan starts, so that the
// hits of this one may point at it.

import {
  arena_block_bytes,
  ARENA_BLOCK_BYTES_MAX,
  arena_give,
  arena_order,
  arena_start,
  arena_take,
} from "./arena";
import { GROUPS, kept_give } from "./kept";
import { add, count, STAT_PROGRAM_BYTES, STAT_PROGRAMS, STAT_PROGRAMS_REFUSED } from "./stats";

/** Length of a text that is not there. */
@inline export const ABSENT: u32 = 0xffffffff;

/** Header of a program; image, argv and cwd follow it without gaps. */
@unmanaged export class Program {
  references: u32;
  order: u32;
  image_length: u32;
  argv_length: u32;
  cwd_length: u32;
  next_dead: u32;
  /** Atoms found in it as the process of a record, as its parent, as an ancestor: kept.ts. */
  kept_process: u32;
  kept_process_generation: u32;
  kept_parent: u32;
  kept_parent_generation: u32;
  kept_ancestor: u32;
  kept_ancestor_generation: u32;
}

let dead: usize = 0;

@inline export function program_at(pointer: usize): Program {
  return changetype<Program>(pointer);
}

@inline function size(length: u32): u32 {
  return length == ABSENT ? 0 : length;
}

/** Where the image path starts; its length is `image_length`. */
@inline export function program_image(pointer: usize): usize {
  return pointer + offsetof<Program>();
}

@inline export function program_argv(pointer: usize): usize {
  return program_image(pointer) + <usize> size(program_at(pointer).image_length);
}

@inline export function program_cwd(pointer: usize): usize {
  return program_argv(pointer) + <usize> size(program_at(pointer).argv_length);
}

/** Forgets all programs. */
export function programs_start(): void {
  dead = 0;
  arena_start();
}

/** A program with one reference and room for its texts, or 0 (counted) when the arena is full. */
export function program_make(image_length: u32, argv_length: u32, cwd_length: u32): usize {
  const bytes: u32 = <u32> offsetof<Program>() + size(image_length) + size(argv_length) +
    size(cwd_length);
  const order: u32 = arena_order(bytes);
  const pointer: usize = bytes > ARENA_BLOCK_BYTES_MAX ? 0 : arena_take(order);
  if (pointer == 0) {
    count(STAT_PROGRAMS_REFUSED);
    return 0;
  }
  const program = program_at(pointer);
  program.references = 1;
  program.order = order;
  program.image_length = image_length;
  program.argv_length = argv_length;
  program.cwd_length = cwd_length;
  program.next_dead = 0;
  program.kept_process = 0;
  program.kept_process_generation = 0;
  program.kept_parent = 0;
  program.kept_parent_generation = 0;
  program.kept_ancestor = 0;
  program.kept_ancestor_generation = 0;
  count(STAT_PROGRAMS);
  add(STAT_PROGRAM_BYTES, <f64> arena_block_bytes(order));
  return pointer;
}

/** One reference more; 0 stays 0. */
export function program_retain(pointer: usize): usize {
  if (pointer != 0) program_at(pointer).references += 1;
  return pointer;
}

/** One reference less; 0 is ignored. */
export function program_release(pointer: usize): void {
  if (pointer == 0) return;
  const program = program_at(pointer);
  program.references -= 1;
  if (program.references != 0) return;
  program.next_dead = <u32> dead;
  dead = pointer;
}

/** Frees the programs without references. */
export function programs_collect(): void {
  while (dead != 0) {
    const program = program_at(dead);
    const order: u32 = program.order;
    const next: usize = <usize> program.next_dead;
    for (let group: u32 = 0; group < GROUPS; group++) kept_give(dead, group);
    arena_give(dead, order);
    add(STAT_PROGRAMS, -1);
    add(STAT_PROGRAM_BYTES, -<f64> arena_block_bytes(order));
    dead = next;
  }
}
