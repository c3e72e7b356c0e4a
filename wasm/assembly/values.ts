// The value that atoms are tried on: that of one field of the current record.

import { FIELD_ROW_BYTES, FIELD_ROW_STANDARD } from "../../out/gen/image";
import { KIND_FLAT } from "../../out/gen/record";
import { kind } from "./current";
import * as f from "./fields";
import { fields } from "./image";
import { KEPT_VALUE, KEPT_VALUE_BYTES, SCRATCH, SCRATCH_BYTES } from "./memory";

/** The value of the current field. */
export let value: usize = 0;
export let value_length: u32 = 0;
/** The value of the field that it is compared with. */
export let other: usize = 0;
export let other_length: u32 = 0;

function load_number(field: u32): bool {
  if (kind == KIND_FLAT) return f.load_flat_field(field);
  return f.load_field(load<u32>(fields + <usize> (field * FIELD_ROW_BYTES), FIELD_ROW_STANDARD));
}

/** Takes the text of a program that a standard field stands for; false when nobody told it. */
export function load_program_value(program: usize, standard: u32): bool {
  if (!f.load_program_text(program, standard)) return false;
  value = f.value;
  value_length = f.value_length;
  return true;
}

/** Finds the value of field #`field` of the image; false when the record does not have it. */
export function load_value(field: u32): bool {
  if (!load_number(field)) return false;
  value = f.value;
  value_length = f.value_length;
  return true;
}

/** Moves a value that was written to SCRATCH out of the way of the next one. */
export function keep_value(): void {
  if (value < SCRATCH || value >= SCRATCH + <usize> SCRATCH_BYTES) return;
  value_length = min<u32>(value_length, KEPT_VALUE_BYTES);
  memory.copy(KEPT_VALUE, value, <usize> value_length);
  value = KEPT_VALUE;
}

/** Finds the value that the current one is compared with; false when the record has none. */
export function load_other_field(field: u32): bool {
  if (!load_number(field)) return false;
  other = f.value;
  other_length = f.value_length;
  return true;
}
