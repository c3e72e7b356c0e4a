import { ATOM_OPS, GLOB_ANY, GLOB_ONE } from "./image_layout.ts";
import type { Criterion } from "./criterion.ts";
import { ANY, foldCase, ONE, type Pattern } from "./value.ts";

/** Name of what an atom tests. */
export type AtomOp = keyof typeof ATOM_OPS;

/** A test of a field in the engine's terms. */
export interface AtomTest {
  readonly op: AtomOp;
  /** UTF-8, ASCII case folded; in a glob with the wildcard bytes. Empty for `present`, `empty`. */
  readonly text: Uint8Array;
}

const ENCODER = new TextEncoder();
const NOTHING = new Uint8Array(0);

/**
 * Chooses the cheapest test that decides a criterion.
 *
 * @param criterion What a value must be like; absence is `present` negated.
 * @returns The test.
 * @throws {TypeError} for a criterion that no rule of this version has.
 */
export function atomTestOf(criterion: Criterion): AtomTest {
  if (criterion.type === "absent") return { op: "present", text: NOTHING };
  if (criterion.type === "pattern" && !criterion.cased) return patternAtom(criterion.pattern);
  throw new TypeError(`No atom decides a criterion of type "${criterion.type}"`);
}

function patternAtom(pattern: Pattern): AtomTest {
  const [first, second, third] = pattern;
  if (first === undefined) return { op: "empty", text: NOTHING };
  const plain = (op: AtomOp, text: string): AtomTest => ({
    op,
    text: ENCODER.encode(foldCase(text)),
  });
  if (pattern.length === 1) {
    if (first === ANY) return { op: "present", text: NOTHING };
    if (typeof first === "string") return plain("equals", first);
  }
  if (pattern.length === 2) {
    if (typeof first === "string" && second === ANY) return plain("startswith", first);
    if (first === ANY && typeof second === "string") return plain("endswith", second);
  }
  if (pattern.length === 3 && first === ANY && typeof second === "string" && third === ANY) {
    return plain("contains", second);
  }
  return { op: "glob", text: globText(pattern) };
}

function globText(pattern: Pattern): Uint8Array {
  const wildcard = { [ANY]: String.fromCharCode(GLOB_ANY), [ONE]: String.fromCharCode(GLOB_ONE) };
  const text = pattern.map((part) => typeof part === "string" ? foldCase(part) : wildcard[part]);
  return ENCODER.encode(text.join(""));
}
