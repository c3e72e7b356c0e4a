// Atoms that no rule waits for: they are tried, or looked for with all such literals of their field,
// when a rule that is looked at asks for them, so that they cost nothing on records that no such rule
// is near.

import {
  ATOM_FLAGS_ASKED,
  ATOM_FLAGS_LATE,
  ATOM_ROW_BYTES,
  ATOM_ROW_FIELD,
  ATOM_ROW_FLAGS,
  FIELD_ROW_ASKED,
  FIELD_ROW_BYTES,
} from "../../out/gen/image";
import { atoms, fields, image } from "./image";
import { find_literals } from "./literals";
import { atom_is_set, is_first_asked, is_first_try } from "./marks";
import { try_atom, try_put_forward } from "./singles";
import { load_value, value, value_length } from "./values";

/** Looks for the literals of a field that rules ask for, once a record. */
function find_asked(field: u32): void {
  if (!is_first_asked(field)) return;
  const asked: u32 = load<u32>(fields + <usize> (field * FIELD_ROW_BYTES), FIELD_ROW_ASKED);
  if (asked == 0 || !load_value(field)) return;
  find_literals(image + <usize> asked, value, value_length);
  try_put_forward();
}

/** Tries an atom that was not found, if it is one of these and was not tried yet. */
function try_late(atom: u32): bool {
  const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
  const flags: u32 = load<u32>(row, ATOM_ROW_FLAGS);
  const field: u32 = <u32> load<u16>(row, ATOM_ROW_FIELD);
  if ((flags & ATOM_FLAGS_ASKED) != 0) find_asked(field);
  else if ((flags & ATOM_FLAGS_LATE) == 0 || !is_first_try(atom)) return false;
  else if (load_value(field)) try_atom(atom);
  return atom_is_set(atom);
}

/** Whether the current record fulfils an atom. */
@inline export function atom_holds(atom: u32): bool {
  return atom_is_set(atom) || try_late(atom);
}
