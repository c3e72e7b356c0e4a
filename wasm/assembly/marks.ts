// Which atoms were found and which rules became candidates in this record. A mark is the number of
// the epoch, so that nothing is cleared between records.

import {
  ATOM_CLASSES_SHIFT,
  ATOM_ROW_BYTES,
  ATOM_ROW_CANDIDATES,
  ATOM_ROW_FLAGS,
  ATOM_ROW_GATED,
  CLASSES_FLAT,
  NONE,
} from "../../out/gen/image";
import { atoms, words } from "./image";
import {
  ASKED_EPOCHS,
  ASKED_EPOCHS_BYTES,
  ATOM_EPOCHS,
  ATOM_EPOCHS_BYTES,
  ATOMS_FOUND,
  CANDIDATES,
  FORWARD_EPOCHS,
  RULE_EPOCHS,
  RULE_EPOCHS_BYTES,
  TO_TRY,
} from "./memory";

let epoch: u32 = 0;
/** Classes of the record, as atoms have those of their candidates. */
let classes: u32 = 0;
/** Atoms found in this epoch. */
export let atoms_found: u32 = 0;
/** Rules to look at in this epoch. */
export let candidates: u32 = 0;

/** Atoms that wait to be tried on the current value. */
let to_try: u32 = 0;

/** Forgets all marks; rules of these classes can become candidates. */
export function marks_next(of_classes: u32): void {
  classes = (of_classes << ATOM_CLASSES_SHIFT) | (of_classes & CLASSES_FLAT);
  atoms_found = 0;
  candidates = 0;
  to_try = 0;
  epoch++;
  if (epoch != 0) return;
  memory.fill(ATOM_EPOCHS, 0, ATOM_EPOCHS_BYTES);
  memory.fill(FORWARD_EPOCHS, 0, ATOM_EPOCHS_BYTES);
  memory.fill(ASKED_EPOCHS, 0, ASKED_EPOCHS_BYTES);
  memory.fill(RULE_EPOCHS, 0, RULE_EPOCHS_BYTES);
  epoch = 1;
}

@inline export function atom_is_set(atom: u32): bool {
  return load<u32>(ATOM_EPOCHS + (<usize> atom << 2)) == epoch;
}

@inline export function atom_found(index: u32): u32 {
  return load<u32>(ATOMS_FOUND + (<usize> index << 2));
}

@inline export function candidate(index: u32): u32 {
  return load<u32>(CANDIDATES + (<usize> index << 2));
}

/** Marks the rules of a list in the pool (count, rules...) as candidates. */
export function mark_rules(list: u32): void {
  if (list == NONE) return;
  let at: usize = words + (<usize> list << 2);
  const end: usize = at + (<usize> (load<u32>(at) + 1) << 2);
  for (at += 4; at < end; at += 4) {
    const rule: u32 = load<u32>(at);
    const mark: usize = RULE_EPOCHS + (<usize> rule << 2);
    if (load<u32>(mark) == epoch) continue;
    store<u32>(mark, epoch);
    store<u32>(CANDIDATES + (<usize> candidates << 2), rule);
    candidates++;
  }
}

/** Marks an atom as found, and its rules as candidates. */
export function mark_atom(atom: u32): void {
  const mark: usize = ATOM_EPOCHS + (<usize> atom << 2);
  if (load<u32>(mark) == epoch) return;
  store<u32>(mark, epoch);
  store<u32>(ATOMS_FOUND + (<usize> atoms_found << 2), atom);
  atoms_found++;
  const row: usize = atoms + <usize> (atom * ATOM_ROW_BYTES);
  if ((load<u32>(row, ATOM_ROW_FLAGS) & classes) != 0) mark_rules(load<u32>(row, ATOM_ROW_CANDIDATES));
  const gated: u32 = load<u32>(row, ATOM_ROW_GATED);
  if (gated != NONE) put_forward(gated);
}

/** Whether nobody asked this of an atom before in this epoch. */
export function is_first_try(atom: u32): bool {
  const mark: usize = FORWARD_EPOCHS + (<usize> atom << 2);
  if (load<u32>(mark) == epoch) return false;
  store<u32>(mark, epoch);
  return true;
}

/** Whether nobody asked for the literals of a field before in this epoch. */
export function is_first_asked(field: u32): bool {
  const mark: usize = ASKED_EPOCHS + (<usize> field << 2);
  if (load<u32>(mark) == epoch) return false;
  store<u32>(mark, epoch);
  return true;
}

/** Puts the atoms of a list forward to be tried on the current value, each once a record. */
function put_forward(list: u32): void {
  let at: usize = words + (<usize> list << 2);
  const end: usize = at + (<usize> (load<u32>(at) + 1) << 2);
  for (at += 4; at < end; at += 4) {
    const atom: u32 = load<u32>(at);
    if (!is_first_try(atom)) continue;
    store<u32>(TO_TRY + (<usize> to_try << 2), atom);
    to_try++;
  }
}

/** The next atom to try on the current value, or NONE. */
export function next_to_try(): u32 {
  if (to_try == 0) return NONE;
  to_try--;
  return load<u32>(TO_TRY + (<usize> to_try << 2));
}
