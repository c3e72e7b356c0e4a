// Atoms that are tried one by one against the value of their field, and their check.

import {
  ATOM_FLAGS_CASED,
  ATOM_OPS_CIDR,
  ATOM_OPS_FIELDREF,
  ATOM_OPS_GLOB,
  ATOM_OPS_NUMBER,
  ATOM_OPS_REGEX,
  ATOM_ROW_BYTES,
  ATOM_ROW_FLAGS,
  ATOM_ROW_OP,
  ATOM_ROW_TEXT,
  ATOM_ROW_TEXT_LENGTH,
  CIDR_ADDRESS,
  CIDR_BYTES,
  CIDR_PREFIX,
  COMPARISONS_EQ,
  COMPARISONS_GT,
  COMPARISONS_GTE,
  COMPARISONS_LT,
  COMPARISONS_LTE,
  FIELDREF_BYTES,
  FIELDREF_FIELD,
  FIELDREF_LIKENESS,
  LIKENESSES_CONTAINS,
  LIKENESSES_ENDSWITH,
  LIKENESSES_EQUALS,
  LIKENESSES_STARTSWITH,
  NONE,
  NUMBER_BYTES,
  NUMBER_COMPARISON,
  NUMBER_NUMBER,
  NUMBER_PART,
  TIME_PARTS_YEAR,
} from "../../out/gen/image";
import { in_network } from "./address_text";
import { mark_unfinished, spend } from "./budget";
import { fold, same_byte } from "./fold";
import { glob } from "./glob";
import { atoms, texts } from "./image";
import { mark_atom, next_to_try } from "./marks";
import { parse_number, parsed_number } from "./number_text";
import { regex_check, regex_run, regex_unfinished } from "./regex";
import { time_part } from "./time_text";
import { keep_value, load_other_field, other, other_length, value, value_length } from "./values";

function compare(comparison: u32, a: f64, b: f64): bool {
  if (comparison == COMPARISONS_EQ) return a == b;
  if (comparison == COMPARISONS_LT) return a < b;
  if (comparison == COMPARISONS_LTE) return a <= b;
  return comparison == COMPARISONS_GT ? a > b : a >= b;
}

function number_holds(text: usize): bool {
  const part: u32 = <u32> load<u8>(text, NUMBER_PART);
  const comparison: u32 = <u32> load<u8>(text, NUMBER_COMPARISON);
  const wanted: f64 = load<f64>(text, NUMBER_NUMBER);
  if (part == 0) {
    return parse_number(value, value_length) && compare(comparison, parsed_number, wanted);
  }
  const found: i32 = time_part(value, value_length, part);
  return found >= 0 && compare(comparison, <f64> found, wanted);
}

/** Whether `length` bytes at two places are the same, letters folded unless `cased`. */
function same(a: usize, b: usize, length: u32, cased: bool): bool {
  for (let i: usize = 0; i < <usize> length; i++) {
    const x: u32 = <u32> load<u8>(a + i);
    const y: u32 = <u32> load<u8>(b + i);
    if (cased ? same_byte(x) != same_byte(y) : fold(x) != fold(y)) return false;
  }
  return true;
}

function fieldref_holds(text: usize, cased: bool): bool {
  keep_value();
  if (!load_other_field(<u32> load<u16>(text, FIELDREF_FIELD))) return false;
  const likeness: u32 = <u32> load<u8>(text, FIELDREF_LIKENESS);
  if (other_length > value_length) return false;
  const spare: u32 = value_length - other_length;
  if (likeness == LIKENESSES_EQUALS) return spare == 0 && same(value, other, other_length, cased);
  if (likeness == LIKENESSES_STARTSWITH) return same(value, other, other_length, cased);
  if (likeness == LIKENESSES_ENDSWITH) {
    return same(value + <usize> spare, other, other_length, cased);
  }
  for (let i: usize = 0; i <= <usize> spare; i++) {
    if (same(value + i, other, other_length, cased)) return true;
  }
  return false;
}

function holds(row: usize): bool {
  const op: u32 = <u32> load<u16>(row, ATOM_ROW_OP);
  const text: usize = texts + <usize> load<u32>(row, ATOM_ROW_TEXT);
  const cased: bool = (load<u32>(row, ATOM_ROW_FLAGS) & ATOM_FLAGS_CASED) != 0;
  if (op == ATOM_OPS_GLOB) {
    return glob(text, load<u32>(row, ATOM_ROW_TEXT_LENGTH), value, value_length, cased);
  }
  if (op == ATOM_OPS_REGEX) return regex_run(text, value, value_length);
  if (op == ATOM_OPS_CIDR) return in_network(text, value, value_length);
  if (op == ATOM_OPS_NUMBER) return number_holds(text);
  return fieldref_holds(text, cased);
}

/** Steps of a try beside those that the length of the value asks for. */
@inline const TRY_STEPS: u32 = 16;

/** Tries an atom on the current value and marks it when it holds. */
export function try_atom(atom: u32): void {
  const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
  const op: u32 = <u32> load<u16>(row, ATOM_ROW_OP);
  // A glob may go over the text once for each 64 bytes of its own.
  const passes: u32 = op == ATOM_OPS_GLOB ? (load<u32>(row, ATOM_ROW_TEXT_LENGTH) >> 6) + 1 : 1;
  if (!spend(value_length * passes + TRY_STEPS)) mark_unfinished(atom);
  else if (holds(row)) mark_atom(atom);
  else if (op == ATOM_OPS_REGEX && regex_unfinished) mark_unfinished(atom);
}

/** Tries the atoms that literals which were found have put forward, on the current value. */
export function try_put_forward(): void {
  for (let atom: u32 = next_to_try(); atom != NONE; atom = next_to_try()) try_atom(atom);
}

function check_cidr(text: usize, length: u32): bool {
  if (length < CIDR_ADDRESS) return false;
  const bytes: u32 = <u32> load<u8>(text, CIDR_BYTES);
  if (bytes != 4 && bytes != 16) return false;
  return length == CIDR_ADDRESS + bytes && <u32> load<u8>(text, CIDR_PREFIX) <= bytes << 3;
}

/** Whether the text of an atom of this operation, within the image, has the form that it needs. */
export function single_check(op: u32, text: usize, length: u32, fields: u32): bool {
  if (op == ATOM_OPS_GLOB) return true;
  if (op == ATOM_OPS_REGEX) return regex_check(text, length);
  if (op == ATOM_OPS_CIDR) return check_cidr(text, length);
  if (op == ATOM_OPS_NUMBER) {
    return length == NUMBER_BYTES && <u32> load<u8>(text, NUMBER_PART) <= TIME_PARTS_YEAR &&
      <u32> load<u8>(text, NUMBER_COMPARISON) <= COMPARISONS_GTE;
  }
  return op == ATOM_OPS_FIELDREF && length == FIELDREF_BYTES &&
    <u32> load<u8>(text, FIELDREF_LIKENESS) <= LIKENESSES_ENDSWITH &&
    <u32> load<u16>(text, FIELDREF_FIELD) < fields;
}
