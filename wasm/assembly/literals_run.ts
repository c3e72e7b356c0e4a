// The search for literals on its own, for tests, benchmarks and tools.

import {
  CLASS_ALL,
  FIELD_ROW_ASKED,
  FIELD_ROW_AUTOMATON,
  FIELD_ROW_BYTES,
  FIELD_ROW_LITERALS,
} from "../../out/gen/image";
import { walk } from "./automaton";
import { field_count, fields, image } from "./image";
import { find_literals } from "./literals";
import { atom_found, atoms_found, marks_next } from "./marks";

/** Marks the atoms of a field's literals that a value has. */
@inline export function match_literals(row: usize, value: usize, length: u32): void {
  const literals: u32 = load<u32>(row, FIELD_ROW_LITERALS);
  if (literals != 0) find_literals(image + <usize> literals, value, length);
  const automaton: u32 = load<u32>(row, FIELD_ROW_AUTOMATON);
  if (automaton != 0) walk(image + <usize> automaton, value, length);
}

/**
 * Looks for the literals of field #`field` of the active image in a text of 63 KiB at most; returns
 * how many atoms hold, or -1 when the field has none. `literals_found` tells which.
 */
export function literals_run(field: u32, pointer: usize, length: u32): i32 {
  if (image == 0 || field >= field_count) return -1;
  const row: usize = fields + <usize> (field * FIELD_ROW_BYTES);
  const asked: u32 = load<u32>(row, FIELD_ROW_ASKED);
  if (load<u32>(row, FIELD_ROW_LITERALS) == 0 && asked == 0) return -1;
  marks_next(CLASS_ALL);
  match_literals(row, pointer, length);
  if (asked != 0) find_literals(image + <usize> asked, pointer, length);
  return <i32> atoms_found;
}

/** Atom number `index` that the last `literals_run` found. */
export function literals_found(index: u32): u32 {
  return index < atoms_found ? atom_found(index) : 0xffffffff;
}
