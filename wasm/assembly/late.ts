// Atoms that no rule waits for: they are tried when a rule that is looked at asks for them, so that
// they cost nothing on records that no such rule is near.

import { ATOM_FLAGS_LATE, ATOM_ROW_BYTES, ATOM_ROW_FIELD, ATOM_ROW_FLAGS } from "../../out/gen/image";
import { atoms } from "./image";
import { atom_is_set, is_first_try } from "./marks";
import { try_atom } from "./singles";
import { load_value } from "./values";

/** Tries an atom that was not found, if it is one of these and was not tried yet. */
function try_late(atom: u32): bool {
  const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
  if ((load<u32>(row, ATOM_ROW_FLAGS) & ATOM_FLAGS_LATE) == 0 || !is_first_try(atom)) return false;
  if (!load_value(<u32> load<u16>(row, ATOM_ROW_FIELD))) return false;
  try_atom(atom);
  return atom_is_set(atom);
}

/** Whether the current record fulfils an atom. */
@inline export function atom_holds(atom: u32): bool {
  return atom_is_set(atom) || try_late(atom);
}
