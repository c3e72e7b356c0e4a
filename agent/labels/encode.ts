import type { ProgramMark, RoleMarks, RoleTerm } from "../../common/sigma/role_marks.ts";
import { markHash } from "./hash.ts";

/** Bytes of `struct immune_policy_mark`: u64 hash, u64 bits, u32 edges, u32 0. */
export const MARK_BYTES = 24;
/** Bytes of `struct immune_policy_term`: u64 all, u64 none, u32 role, u32 0. */
export const TERM_BYTES = 24;
/** Numbers of `enum immune_mark_edge`. */
const EDGES = { before: 1, after: 2 } as const;

/**
 * Writes marks, then terms, as the end of a policy has them.
 *
 * @param view Where they go, from its start on; there is room for all of them.
 * @param roles Marks and terms.
 */
export function writeRoles(view: DataView, { marks, terms }: RoleMarks): void {
  marks.forEach((mark, i) => writeMark(view, i * MARK_BYTES, mark));
  const end = marks.length * MARK_BYTES;
  terms.forEach((term, i) => writeTerm(view, end + i * TERM_BYTES, term));
}

function writeMark(view: DataView, at: number, mark: ProgramMark): void {
  view.setBigUint64(at, markHash(mark), true);
  view.setBigUint64(at + 8, mark.bits, true);
  const edges = (mark.slashBefore ? EDGES.before : 0) | (mark.slashAfter ? EDGES.after : 0);
  view.setUint32(at + 16, edges, true);
}

function writeTerm(view: DataView, at: number, { all, none, role }: RoleTerm): void {
  view.setBigUint64(at, all, true);
  view.setBigUint64(at + 8, none, true);
  view.setUint32(at + 16, role, true);
}
