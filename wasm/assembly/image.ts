// The active rule image. `publish` checks the other region in full before that becomes active.

import {
  IMAGE_HEADER_ALWAYS,
  IMAGE_HEADER_ATOMS,
  IMAGE_HEADER_CLASS_MASK,
  IMAGE_HEADER_FIELD_COUNT,
  IMAGE_HEADER_FIELDS,
  IMAGE_HEADER_RELATIONS,
  IMAGE_HEADER_RULES,
  IMAGE_HEADER_TEXTS,
  IMAGE_HEADER_WORDS,
} from "../../out/gen/image";
import {
  check_begin,
  CHECK_GOES_ON,
  check_some,
  ERROR_ACTIVE,
  ERROR_UNCHECKED,
} from "./image_check";
import { IMAGE_A, IMAGE_B } from "./memory";
import { count, STAT_IMAGES_REFUSED } from "./stats";

/** Start of the active image, 0 = none; then the places of its sections. */
export let image: usize = 0;
export let fields: usize = 0;
export let atoms: usize = 0;
export let rules: usize = 0;
export let words: usize = 0;
export let texts: usize = 0;
export let field_count: u32 = 0;
/** Classes that any rule wants. */
export let class_mask: u32 = 0;
/** Index in the pool of the list of rules that run on every event of their class. */
export let always: u32 = 0;
/** Index in the pool of the list of atoms that compare fields. */
export let relations: u32 = 0;
/** Counts the images published. */
export let generation: u32 = 0;

/** Region whose check is under way or done, and whether it is done. */
let staged: u32 = 0;
let staged_holds: bool = false;

@inline function region_at(which: u32): usize {
  return which == 0 ? IMAGE_A : IMAGE_B;
}

/** Keeps what a check says: an image is good when its last row was. */
function judged(answer: i32): i32 {
  staged_holds = answer == 0;
  if (answer < 0) count(STAT_IMAGES_REFUSED);
  return answer;
}

/**
 * Begins the check of the image in region A (0) or B (1), which is not the active one;
 * CHECK_GOES_ON or an ImageError.
 */
export function stage(which: u32, length: u32): i32 {
  staged = which;
  staged_holds = false;
  if (region_at(which) == image) return judged(ERROR_ACTIVE);
  const error: i32 = check_begin(region_at(which), length);
  return error == 0 ? CHECK_GOES_ON : judged(error);
}

/** Goes on with it for so many rows; CHECK_GOES_ON, 0 when the image holds, or an ImageError. */
export function stage_some(rows: u32): i32 {
  const answer: i32 = check_some(rows);
  return answer == CHECK_GOES_ON ? answer : judged(answer);
}

/** Makes the staged image the active one; 0, or an ImageError when it was not checked to its end. */
export function publish_staged(): i32 {
  if (!staged_holds) return ERROR_UNCHECKED;
  staged_holds = false;
  const base: usize = region_at(staged);
  fields = base + <usize> load<u32>(base, IMAGE_HEADER_FIELDS);
  atoms = base + <usize> load<u32>(base, IMAGE_HEADER_ATOMS);
  rules = base + <usize> load<u32>(base, IMAGE_HEADER_RULES);
  words = base + <usize> load<u32>(base, IMAGE_HEADER_WORDS);
  texts = base + <usize> load<u32>(base, IMAGE_HEADER_TEXTS);
  field_count = load<u32>(base, IMAGE_HEADER_FIELD_COUNT);
  class_mask = load<u32>(base, IMAGE_HEADER_CLASS_MASK);
  always = load<u32>(base, IMAGE_HEADER_ALWAYS);
  relations = load<u32>(base, IMAGE_HEADER_RELATIONS);
  image = base;
  generation++;
  return 0;
}
