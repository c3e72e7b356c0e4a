import type { OpenMark } from "../../common/sigma/open_filter.ts";
import type { ProgramMark, RoleMarks, RoleTerm } from "../../common/sigma/role_marks.ts";
import { markHash, openMarkHash } from "./hash.ts";

/** Bytes of `struct immune_policy_mark`: u64 hash, u64 bits, u32 edges, u32 0. */
export const MARK_BYTES = 24;
/** Bytes of `struct immune_policy_term`: u64 all, u64 none, u32 role, u32 0. */
export const TERM_BYTES = 24;
/** Numbers of `enum immune_mark_edge`. */
const EDGES = { before: 1, after: 2 } as const;

/**
 * Writes marks of programs, then those of opened files, then terms, as the end of a policy has them.
 *
 * @param view Where they go, from its start on; there is room for all of them.
 * @param policy Marks and terms of roles, and marks of opened files.
 */
export function writeMarks(
  view: DataView,
  { marks, terms, opens }: RoleMarks & { readonly opens: readonly OpenMark[] },
): void {
  const all = [...marks.map(programMark), ...opens.map(openMark)];
  all.forEach((mark, i) => writeMark(view, i * MARK_BYTES, mark));
  const end = all.length * MARK_BYTES;
  terms.forEach((term, i) => writeTerm(view, end + i * TERM_BYTES, term));
}

/** A mark as a kernel has it. */
interface PackedMark {
  readonly hash: bigint;
  readonly bits: bigint;
  readonly edges: number;
}

function programMark(mark: ProgramMark): PackedMark {
  const edges = (mark.slashBefore ? EDGES.before : 0) | (mark.slashAfter ? EDGES.after : 0);
  return { hash: markHash(mark), bits: mark.bits, edges };
}

function openMark(mark: OpenMark): PackedMark {
  return {
    hash: openMarkHash(mark),
    bits: BigInt(mark.bits),
    edges: mark.slashAfter ? EDGES.after : 0,
  };
}

function writeMark(view: DataView, at: number, { hash, bits, edges }: PackedMark): void {
  view.setBigUint64(at, hash, true);
  view.setBigUint64(at + 8, bits, true);
  view.setUint32(at + 16, edges, true);
}

function writeTerm(view: DataView, at: number, { all, none, role }: RoleTerm): void {
  view.setBigUint64(at, all, true);
  view.setBigUint64(at + 8, none, true);
  view.setUint32(at + 16, role, true);
}
