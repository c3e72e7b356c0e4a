import { ImmuneError } from "../config/errors.ts";
import type { Antibody } from "./antibody.ts";
import { lintAntibody, type LintOptions, type LintProblem } from "./lint.ts";

/** Most antibodies of a set. */
export const ANTIBODIES_PER_SET_MAX = 1024;
/** Longest set, in bytes. */
export const ANTIBODY_SET_BYTES_MAX = 1024 * 1024;

/** What a host is to have. */
export interface WrittenSet {
  /** Counts up with every change of what hosts are to have. */
  readonly number: number;
  readonly antibodies: readonly Antibody[];
}

/** What a host does not take of a set. */
export interface RefusedEntry {
  /** Its id; empty where it has none. */
  readonly id: string;
  readonly kind: LintProblem["kind"];
  /** One line for people. */
  readonly message: string;
}

/** A set, as a host reads it. */
export interface ReadSet extends WrittenSet {
  /** What the host does not take, each with why: its own lint is the last word. */
  readonly refused: readonly RefusedEntry[];
}

/**
 * Writes a set: one set has one form, so that its hash names it.
 *
 * @param set Number and antibodies.
 * @returns Bytes.
 * @throws {RangeError} over the bounds.
 */
export function writeAntibodySet({ number, antibodies }: WrittenSet): Uint8Array<ArrayBuffer> {
  const sorted = antibodies.toSorted((a, b) => a.id < b.id ? -1 : 1);
  const bytes = new TextEncoder().encode(
    JSON.stringify({ version: 1, number, antibodies: sorted }),
  );
  if (antibodies.length > ANTIBODIES_PER_SET_MAX || bytes.length > ANTIBODY_SET_BYTES_MAX) {
    throw new RangeError(`A set has at most ${ANTIBODIES_PER_SET_MAX} antibodies`);
  }
  return bytes;
}

/**
 * Reads a set, in bounded time and memory, whatever the bytes are.
 *
 * @param bytes The whole of it; whose word it is was checked before.
 * @param options The host's own lint.
 * @returns What the host takes, and what it does not.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it is no set.
 */
export function readAntibodySet(bytes: Uint8Array, options: LintOptions): ReadSet {
  if (bytes.length > ANTIBODY_SET_BYTES_MAX) throw malformed("it is too long");
  const { version, number, antibodies, ...more } = objectOf(bytes);
  if (version !== 1 || !Array.isArray(antibodies) || Object.keys(more).length > 0) {
    throw malformed("it is of another form");
  }
  if (!Number.isSafeInteger(number) || Number(number) < 0) throw malformed("it has no number");
  if (antibodies.length > ANTIBODIES_PER_SET_MAX) throw malformed("it has too many antibodies");
  const taken = new Map<string, Antibody>();
  const refused: RefusedEntry[] = [];
  for (const given of antibodies as readonly unknown[]) {
    const problem = lintAntibody(given, options);
    const id = idOf(given);
    if (problem !== undefined) refused.push({ id, ...problem });
    else if (taken.has(id)) refused.push({ id, kind: "shape", message: "It comes twice" });
    else taken.set(id, given as Antibody);
  }
  return { number: Number(number), antibodies: [...taken.values()], refused };
}

/** An id for people, of what may be anything. */
function idOf(given: unknown): string {
  const { id } = (given ?? {}) as { readonly id?: unknown };
  return typeof id === "string" && /^[0-9a-f]{32}$/.test(id) ? id : "";
}

function objectOf(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw malformed("it is no JSON object");
}

function malformed(why: string): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot take the set of antibodies: ${why}`);
}
