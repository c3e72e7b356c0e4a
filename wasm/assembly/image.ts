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
import { check_image } from "./image_check";
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

/** Checks the image in region A (0) or B (1) and makes it the active one; 0 or an ImageError. */
export function publish_region(which: u32, length: u32): i32 {
  const base: usize = which == 0 ? IMAGE_A : IMAGE_B;
  const error: i32 = check_image(base, length);
  if (error != 0) {
    count(STAT_IMAGES_REFUSED);
    return error;
  }
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
