import type { OpenMark } from "../../common/sigma/open_filter.ts";
import { MARK_TYPES, type ProgramMark } from "../../common/sigma/role_marks.ts";

/** FNV-1a of 64 bits (Fowler, Noll, Vo): IMMUNE_FNV_OFFSET, IMMUNE_FNV_PRIME. */
const OFFSET = 0xcbf2_9ce4_8422_2325n;
const PRIME = 0x100_0000_01b3n;
const MASK = 0xffff_ffff_ffff_ffffn;
const UTF8 = new TextEncoder();

/**
 * The key of a mark in the kernel's map, as bpf/lib/role.h computes it.
 *
 * @param mark Its type and components; ASCII letters count in any case.
 * @returns A number below 2^64.
 */
export function markHash({ type, components }: Pick<ProgramMark, "type" | "components">): bigint {
  return sequenceHash(MARK_TYPES[type], components);
}

/** Numbers of `enum immune_mark_type` that marks of opened files have besides. */
const OPEN_TYPES = { ...MARK_TYPES, extension: 6, last: 7 } as const;
/** IMMUNE_MARK_OPEN */
const OPEN = 8;

/**
 * The key of a mark of opened files in the same map.
 *
 * @param mark Its type and components.
 * @returns A number below 2^64.
 */
export function openMarkHash({ type, components }: Pick<OpenMark, "type" | "components">): bigint {
  return sequenceHash(OPEN | OPEN_TYPES[type], components);
}

function sequenceHash(seed: number, components: readonly string[]): bigint {
  let sequence = BigInt(seed);
  for (const component of components) {
    sequence = ((sequence ^ componentHash(component)) * PRIME) & MASK;
    sequence ^= sequence >> 32n;
  }
  return sequence;
}

function componentHash(component: string): bigint {
  let hash = OFFSET;
  for (const byte of UTF8.encode(component)) {
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    hash = ((hash ^ BigInt(folded)) * PRIME) & MASK;
  }
  return hash;
}
