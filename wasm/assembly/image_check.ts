// The check of a rule image: after it, no offset, index or stack depth of the image needs a test in
// the scan. All sums are in u64, so that no offset wraps around.

import {
  ATOM_FLAGS_ASKED,
  ATOM_FLAGS_LATE,
  ATOM_OPS_CONTAINS,
  ATOM_OPS_EMPTY,
  ATOM_OPS_EQUALS,
  ATOM_OPS_FIELDREF,
  ATOM_OPS_GLOB,
  ATOM_OPS_PRESENT,
  ATOM_OPS_REGEX,
  ATOM_ROW_BYTES,
  ATOM_ROW_CANDIDATES,
  ATOM_ROW_FIELD,
  ATOM_ROW_FLAGS,
  ATOM_ROW_GATED,
  ATOM_ROW_OP,
  ATOM_ROW_TEXT,
  ATOM_ROW_TEXT_LENGTH,
  ATOMS_MAX,
  FIELD_ROW_ASKED,
  FIELD_ROW_AUTOMATON,
  FIELD_ROW_BYTES,
  FIELD_ROW_EMPTY,
  FIELD_ROW_LITERALS,
  FIELD_ROW_PRESENT,
  FIELD_ROW_SINGLES,
  FIELDS_MAX,
  IMAGE_BYTES_MAX,
  IMAGE_HEADER_ALWAYS,
  IMAGE_HEADER_ATOM_COUNT,
  IMAGE_HEADER_ATOMS,
  IMAGE_HEADER_BYTES,
  IMAGE_HEADER_FIELD_COUNT,
  IMAGE_HEADER_FIELDS,
  IMAGE_HEADER_HEADER_LENGTH,
  IMAGE_HEADER_LENGTH,
  IMAGE_HEADER_MAGIC,
  IMAGE_HEADER_RELATIONS,
  IMAGE_HEADER_RULE_COUNT,
  IMAGE_HEADER_RULES,
  IMAGE_HEADER_TEXT_BYTES,
  IMAGE_HEADER_TEXTS,
  IMAGE_HEADER_VERSION,
  IMAGE_HEADER_WORD_COUNT,
  IMAGE_HEADER_WORDS,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  NONE,
  RULE_ROW_BYTES,
  RULE_ROW_PROGRAM,
  RULE_ROW_PROGRAM_WORDS,
  RULES_MAX,
} from "../../out/gen/image";
import { automaton_check, automaton_prepare } from "./automaton_check";
import { literals_open, literals_row_holds, literals_rows } from "./literals_check";
import { program_check } from "./program_check";
import { single_check } from "./singles";

@inline export const ERROR_LENGTH: i32 = -1;
@inline export const ERROR_MAGIC: i32 = -2;
@inline export const ERROR_VERSION: i32 = -3;
@inline export const ERROR_COUNT: i32 = -4;
@inline export const ERROR_SECTION: i32 = -5;
@inline export const ERROR_FIELD: i32 = -6;
@inline export const ERROR_AUTOMATON: i32 = -7;
@inline export const ERROR_ATOM: i32 = -8;
@inline export const ERROR_RULE: i32 = -9;
@inline export const ERROR_PROGRAM: i32 = -10;
@inline export const ERROR_LIST: i32 = -11;
/** The region holds the active image. */
@inline export const ERROR_ACTIVE: i32 = -13;
/** Its check did not come to a good end. */
@inline export const ERROR_UNCHECKED: i32 = -14;

let base: usize = 0;
let length: u32 = 0;
let words: usize = 0;
let word_count: u32 = 0;
let rule_count: u32 = 0;
let atom_count: u32 = 0;
let field_count: u32 = 0;
/** Number of the row at which the last check stopped. */
let stopped_at: u32 = 0;

/** Row (field, atom or rule, as the error says) at which the last failed check stopped. */
export function publish_row(): u32 {
  return stopped_at;
}

@inline function header(place: u32): u32 {
  return load<u32>(base + <usize> place);
}

/** Whether a section of `count` rows lies behind the header, aligned, within the image. */
function section(place: u32, count: u32, bytes: u32): bool {
  const offset: u32 = header(place);
  return offset % 8 == 0 && offset >= IMAGE_HEADER_BYTES &&
    <u64> offset + <u64> count * <u64> bytes <= <u64> length;
}

/** Whether the pool has a list (count, members...) there whose members are below `limit`. */
function list(index: u32, limit: u32): bool {
  if (index == NONE) return true;
  if (index >= word_count) return false;
  const at: usize = words + (<usize> index << 2);
  const members: u32 = load<u32>(at);
  if (<u64> index + 1 + <u64> members > <u64> word_count) return false;
  for (let i: u32 = 1; i <= members; i++) {
    if (load<u32>(at + (<usize> i << 2)) >= limit) return false;
  }
  return true;
}

@inline function atom_row(atom: u32): usize {
  return base + <usize> header(IMAGE_HEADER_ATOMS) + <usize> (atom * ATOM_ROW_BYTES);
}

@inline function atom_or_none(atom: u32): bool {
  return atom == NONE || atom < atom_count;
}

function check_header(): i32 {
  if (header(IMAGE_HEADER_MAGIC) != IMAGE_MAGIC) return ERROR_MAGIC;
  if (<u32> load<u16>(base, IMAGE_HEADER_VERSION) != IMAGE_VERSION) return ERROR_VERSION;
  if (<u32> load<u16>(base, IMAGE_HEADER_HEADER_LENGTH) < IMAGE_HEADER_BYTES) return ERROR_LENGTH;
  if (header(IMAGE_HEADER_LENGTH) != length) return ERROR_LENGTH;
  if (rule_count > RULES_MAX || atom_count > ATOMS_MAX || field_count > FIELDS_MAX) {
    return ERROR_COUNT;
  }
  const whole: bool = section(IMAGE_HEADER_FIELDS, field_count, FIELD_ROW_BYTES) &&
    section(IMAGE_HEADER_ATOMS, atom_count, ATOM_ROW_BYTES) &&
    section(IMAGE_HEADER_RULES, rule_count, RULE_ROW_BYTES) &&
    section(IMAGE_HEADER_WORDS, word_count, 4) &&
    section(IMAGE_HEADER_TEXTS, header(IMAGE_HEADER_TEXT_BYTES), 1);
  return whole ? 0 : ERROR_SECTION;
}

@inline function is_single(op: u32): bool {
  return op == ATOM_OPS_GLOB || op >= ATOM_OPS_REGEX && op < ATOM_OPS_FIELDREF;
}

@inline function is_literal(op: u32): bool {
  return op >= ATOM_OPS_EQUALS && op <= ATOM_OPS_CONTAINS;
}

/** Whether the list of relations names `fieldref` atoms alone. */
function check_relations(): bool {
  const relations: u32 = header(IMAGE_HEADER_RELATIONS);
  if (!list(relations, atom_count)) return false;
  if (relations == NONE) return true;
  const at: usize = words + (<usize> relations << 2);
  for (let i: u32 = load<u32>(at); i > 0; i--) {
    const row: usize = atom_row(load<u32>(at + (<usize> i << 2)));
    if (<u32> load<u16>(row, ATOM_ROW_OP) != ATOM_OPS_FIELDREF) return false;
  }
  return true;
}

/** Whether a list names atoms of a field that are tried one by one, and no others. */
function check_singles(field: u32, singles: u32): bool {
  if (!list(singles, atom_count)) return false;
  if (singles == NONE) return true;
  const at: usize = words + (<usize> singles << 2);
  for (let i: u32 = load<u32>(at); i > 0; i--) {
    const row: usize = atom_row(load<u32>(at + (<usize> i << 2)));
    if (!is_single(<u32> load<u16>(row, ATOM_ROW_OP))) return false;
    if (<u32> load<u16>(row, ATOM_ROW_FIELD) != field) return false;
  }
  return true;
}

@inline function field_row(field: u32): usize {
  return base + <usize> header(IMAGE_HEADER_FIELDS) + <usize> (field * FIELD_ROW_BYTES);
}

/** Preparing writes into the image: all of it comes before any check, so nothing checked changes. */
function prepare_field(field: u32): i32 {
  const automaton: u32 = load<u32>(field_row(field), FIELD_ROW_AUTOMATON);
  if (automaton == 0) return 0;
  return automaton_prepare(base, automaton, length) ? 0 : ERROR_AUTOMATON;
}

function check_field(field: u32): i32 {
  const row: usize = field_row(field);
  if (!atom_or_none(load<u32>(row, FIELD_ROW_PRESENT))) return ERROR_FIELD;
  if (!atom_or_none(load<u32>(row, FIELD_ROW_EMPTY))) return ERROR_FIELD;
  if (!check_singles(field, load<u32>(row, FIELD_ROW_SINGLES))) return ERROR_LIST;
  const automaton: u32 = load<u32>(row, FIELD_ROW_AUTOMATON);
  if (automaton == 0) return 0;
  return automaton_check(base, automaton, length, atom_count) ? 0 : ERROR_AUTOMATON;
}

function check_atom(atom: u32): i32 {
  const row: usize = atom_row(atom);
  const op: u32 = <u32> load<u16>(row, ATOM_ROW_OP);
  if (op < ATOM_OPS_EQUALS || op > ATOM_OPS_FIELDREF) return ERROR_ATOM;
  const field: u32 = <u32> load<u16>(row, ATOM_ROW_FIELD);
  if (field >= field_count) return ERROR_ATOM;
  const text: u32 = load<u32>(row, ATOM_ROW_TEXT);
  const bytes: u32 = load<u32>(row, ATOM_ROW_TEXT_LENGTH);
  const fits: bool = <u64> text + <u64> bytes <= <u64> header(IMAGE_HEADER_TEXT_BYTES);
  if (op != ATOM_OPS_PRESENT && op != ATOM_OPS_EMPTY && !fits) return ERROR_ATOM;
  if (is_single(op) || op == ATOM_OPS_FIELDREF) {
    const at: usize = base + <usize> header(IMAGE_HEADER_TEXTS) + <usize> text;
    if (!single_check(op, at, bytes, field_count)) return ERROR_ATOM;
  }
  const flags: u32 = load<u32>(row, ATOM_ROW_FLAGS);
  if ((flags & ATOM_FLAGS_LATE) != 0 && !is_single(op)) return ERROR_ATOM;
  if ((flags & ATOM_FLAGS_ASKED) != 0 && !is_single(op) && !is_literal(op)) return ERROR_ATOM;
  if (!check_singles(field, load<u32>(row, ATOM_ROW_GATED))) return ERROR_LIST;
  return list(load<u32>(row, ATOM_ROW_CANDIDATES), rule_count) ? 0 : ERROR_LIST;
}

function check_rule(rule: u32): i32 {
  const row: usize = base + <usize> header(IMAGE_HEADER_RULES) + <usize> (rule * RULE_ROW_BYTES);
  const program: u32 = load<u32>(row, RULE_ROW_PROGRAM);
  const size: u32 = load<u32>(row, RULE_ROW_PROGRAM_WORDS);
  if (<u64> program + <u64> size > <u64> word_count) return ERROR_RULE;
  return program_check(words, word_count, program, size, atom_count) ? 0 : ERROR_PROGRAM;
}

/** No row of literals. */
@inline const NOT_OPEN: u32 = 0xffffffff;

/** Parts of the check, in their order; each but the first goes over rows. */
@inline const PART_PREPARE: u32 = 0;
@inline const PART_FIELDS: u32 = 1;
@inline const PART_ATOMS: u32 = 2;
@inline const PART_RULES: u32 = 3;
@inline const PARTS: u32 = 4;

/** A field has two blocks of literals: those that rules wait for, those that they ask for. */
@inline const BLOCKS: u32 = 2;
/** Blocks of literals of the field under check that hold. */
let blocks_hold: u32 = 0;
/** Rows of the next one that hold; NOT_OPEN: it was not opened. */
let literal_row: u32 = NOT_OPEN;

/** Goes on with the literals of a field; CHECK_GOES_ON, 0 at their end, or an ImageError. */
function check_literals(field: u32): i32 {
  if (blocks_hold == BLOCKS) {
    blocks_hold = 0;
    return 0;
  }
  const row: usize = field_row(field);
  const block: u32 = blocks_hold == 0 ? load<u32>(row, FIELD_ROW_LITERALS) : load<u32>(row, FIELD_ROW_ASKED);
  if (block == 0) {
    blocks_hold++;
    return CHECK_GOES_ON;
  }
  if (literal_row == NOT_OPEN) {
    if (!literals_open(base, block, length)) return ERROR_AUTOMATON;
    literal_row = 0;
  } else if (literals_row_holds(literal_row, base, atom_count)) literal_row++;
  else return ERROR_AUTOMATON;
  if (literal_row == literals_rows()) {
    literal_row = NOT_OPEN;
    blocks_hold++;
  }
  return CHECK_GOES_ON;
}

/** What `check_some` answers while rows are left. */
@inline export const CHECK_GOES_ON: i32 = 1;

let part: u32 = 0;

function rows_of(of_part: u32): u32 {
  if (of_part == PART_ATOMS) return atom_count;
  return of_part == PART_RULES ? rule_count : field_count;
}

function check_row(of_part: u32, row: u32): i32 {
  if (of_part == PART_PREPARE) return prepare_field(row);
  if (of_part == PART_FIELDS) {
    const answer: i32 = check_literals(row);
    return answer == 0 ? check_field(row) : answer;
  }
  return of_part == PART_ATOMS ? check_atom(row) : check_rule(row);
}

/** Checks the header of an image of `size` bytes at `at`; then `check_some`. 0 or an ImageError. */
export function check_begin(at: usize, size: u32): i32 {
  stopped_at = 0;
  part = 0;
  literal_row = NOT_OPEN;
  blocks_hold = 0;
  if (size < IMAGE_HEADER_BYTES || size > IMAGE_BYTES_MAX) return ERROR_LENGTH;
  base = at;
  length = size;
  word_count = header(IMAGE_HEADER_WORD_COUNT);
  rule_count = header(IMAGE_HEADER_RULE_COUNT);
  atom_count = header(IMAGE_HEADER_ATOM_COUNT);
  field_count = header(IMAGE_HEADER_FIELD_COUNT);
  words = base + <usize> header(IMAGE_HEADER_WORDS);
  const error: i32 = check_header();
  if (error != 0) return error;
  if (!list(header(IMAGE_HEADER_ALWAYS), rule_count)) return ERROR_LIST;
  return check_relations() ? 0 : ERROR_LIST;
}

/** Checks the next `rows` rows; CHECK_GOES_ON, 0 when all hold, or an ImageError. */
export function check_some(rows: u32): i32 {
  for (let left: u32 = rows; left > 0; left--) {
    while (part < PARTS && stopped_at == rows_of(part)) {
      part++;
      stopped_at = 0;
    }
    if (part == PARTS) return 0;
    const answer: i32 = check_row(part, stopped_at);
    if (answer < 0) return answer;
    if (answer == 0) stopped_at++;
  }
  return CHECK_GOES_ON;
}
