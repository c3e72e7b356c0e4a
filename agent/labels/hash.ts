import type { OpenMark } from "../../common/sigma/open_filter.ts";
import { MARK_TYPES, type ProgramMark } from "../../common/sigma/role_marks.ts";

const UTF8 = new TextEncoder();
const ASCII_MAX = 0x7f;
const WORD = 2 ** 32;
/** FNV-1a of 64 bits (Fowler, Noll, Vo): IMMUNE_FNV_OFFSET, in two words of 32 bits. */
const OFFSET = { high: 0xcbf2_9ce4, low: 0x8422_2325 } as const;
/** IMMUNE_FNV_PRIME is 2^40 and this. */
const PRIME_LOW = 0x1b3;
const PRIME_SHIFT = 40 - 32;

/**
 * The key of a mark in the kernel's map, as bpf/lib/role.h computes it.
 *
 * @param mark Its type and components; ASCII letters count in any case.
 * @returns A number below 2^64.
 */
export function markHash({ type, components }: Pick<ProgramMark, "type" | "components">): bigint {
  return numberOf(sequenceHash(MARK_TYPES[type], components));
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
  return numberOf(sequenceHash(OPEN | OPEN_TYPES[type], components));
}

/** A hash in two words: a million of them are made of a list, which as bigints takes seconds. */
export interface Hash64 {
  high: number;
  low: number;
}

/**
 * A hash over components that starts with a number, as the kernel's programs compute it.
 *
 * @param seed What the components are of.
 * @param components Each of them; ASCII letters count in any case.
 */
export function sequenceHash(seed: number, components: readonly string[]): Hash64 {
  const sequence = { high: 0, low: seed };
  for (const component of components) {
    const { high, low } = componentHash(component);
    sequence.high = (sequence.high ^ high) >>> 0;
    sequence.low = (sequence.low ^ low) >>> 0;
    timesPrime(sequence);
    sequence.low = (sequence.low ^ sequence.high) >>> 0;
  }
  return sequence;
}

function componentHash(component: string): Hash64 {
  const hash: Hash64 = { high: OFFSET.high, low: OFFSET.low };
  for (let i = 0; i < component.length; i++) {
    const unit = component.charCodeAt(i);
    if (unit > ASCII_MAX) {
      for (const byte of UTF8.encode(component.slice(i))) addByte(hash, byte);
      return hash;
    }
    addByte(hash, unit);
  }
  return hash;
}

function addByte(hash: Hash64, byte: number): void {
  const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
  hash.low = (hash.low ^ folded) >>> 0;
  timesPrime(hash);
}

/** All products are below 2^53: they are exact. */
function timesPrime(hash: Hash64): void {
  const product = hash.low * PRIME_LOW;
  const carried = hash.high * PRIME_LOW + Math.floor(product / WORD);
  hash.high = (carried % WORD + ((hash.low << PRIME_SHIFT) >>> 0)) % WORD;
  hash.low = product % WORD;
}

function numberOf({ high, low }: Hash64): bigint {
  return BigInt(high) << 32n | BigInt(low);
}
