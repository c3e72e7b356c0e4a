// Of role documents, what a kernel can decide by itself when a program starts: marks of its path
// and arguments, and terms over them (specs/labels.md). What is left is decided in user space.

import type { Expression, FieldTest } from "./expression.ts";
import { ANY, foldCase } from "./value.ts";

/** Most marks of a policy (IMMUNE_MARKS_MAX). */
export const MARKS_MAX = 2048;
/** Most terms over them (IMMUNE_TERMS_MAX). */
export const TERMS_MAX = 64;
/** Longest sequence of components in marks of type `tail`, `part` and `argument`. */
export const MARK_SEQUENCE_MAX = 4;
/** Bits that marks can set. */
const BITS_MAX = 64;

/** What a mark's components must be; `enum immune_mark_type`. */
export const MARK_TYPES = { path: 1, directory: 2, tail: 3, part: 4, argument: 5 } as const;

/** Components, between slashes, of a program's path or of one of its arguments. */
export interface ProgramMark {
  /**
   * `path`: all of the image's path; `directory`: its first ones, not the last; `tail`: its last
   * ones; `part`: in the middle of it; `argument`: in the middle of one argument.
   */
  readonly type: keyof typeof MARK_TYPES;
  /** ASCII letters in lower case. */
  readonly components: readonly string[];
  /** A slash must stand before the first one. */
  readonly slashBefore: boolean;
  /** A slash must stand after the last one. */
  readonly slashAfter: boolean;
  /** Bits that a program gets by it, below 2^64. */
  readonly bits: bigint;
}

/** A program whose bits have all of `all` and none of `none` gets the role. */
export interface RoleTerm {
  readonly all: bigint;
  readonly none: bigint;
  /** Id of the role. */
  readonly role: number;
}

/** What a kernel can decide. */
export interface RoleMarks {
  readonly marks: readonly ProgramMark[];
  /** The first one that holds counts. */
  readonly terms: readonly RoleTerm[];
}

/** A role and what its programs are like. */
export interface RoleExpression {
  readonly role: number;
  readonly expression: Expression;
}

interface Found {
  readonly mark: Omit<ProgramMark, "bits">;
  /** Holds on every program on which the test does, not only on some. */
  readonly isComplete: boolean;
}

interface Term {
  readonly all: bigint;
  readonly none: bigint;
}

const NOTHING: readonly Term[] = [];

/**
 * Compiles role rules for a kernel. Its terms are sound: one that holds implies that its rule does.
 *
 * @param roles Rules in the order in which the first one that holds counts.
 * @returns Marks and terms; what is over a bound is left to user space.
 */
export function roleMarksOf(roles: readonly RoleExpression[]): RoleMarks {
  const marks = new Marks();
  const terms: RoleTerm[] = [];
  for (const { role, expression } of roles) {
    for (const { all, none } of termsOf(expression, marks)) {
      if (all !== 0n && terms.length < TERMS_MAX) terms.push({ all, none, role });
    }
  }
  return { marks: marks.all(), terms };
}

/** Ways in which an expression is sure to hold; not all there are. */
function termsOf(expression: Expression, marks: Marks): readonly Term[] {
  switch (expression.kind) {
    case "test":
    case "or": {
      const parts = expression.kind === "or" ? expression.of : [expression];
      const tests = parts.filter((part) => part.kind === "test");
      const bit = marks.bitOf(tests, { complete: false });
      return [
        ...(bit === undefined ? NOTHING : [{ all: bit, none: 0n }]),
        ...parts.flatMap((part) => part.kind === "test" ? NOTHING : termsOf(part, marks)),
      ].slice(0, TERMS_MAX);
    }
    case "and":
      return product(expression.of.map((part) => termsOf(part, marks)));
    case "not":
      return failuresOf(expression.of, marks);
    case "at_least":
      return NOTHING;
  }
}

/** Ways in which an expression is sure not to hold. */
function failuresOf(expression: Expression, marks: Marks): readonly Term[] {
  switch (expression.kind) {
    case "test":
    case "or": {
      const parts = expression.kind === "or" ? expression.of : [expression];
      const tests = parts.filter((part) => part.kind === "test");
      const others = parts.filter((part) => part.kind !== "test");
      const bit = tests.length === 0 ? 0n : marks.bitOf(tests, { complete: true });
      if (bit === undefined) return NOTHING;
      return product([
        [{ all: 0n, none: bit }],
        ...others.map((part) => failuresOf(part, marks)),
      ]);
    }
    case "and":
      return expression.of.flatMap((part) => failuresOf(part, marks)).slice(0, TERMS_MAX);
    case "not":
      return termsOf(expression.of, marks);
    case "at_least":
      return NOTHING;
  }
}

/** Terms that hold when one of each list does. */
function product(lists: readonly (readonly Term[])[]): readonly Term[] {
  let joined: readonly Term[] = [{ all: 0n, none: 0n }];
  for (const list of lists) {
    joined = joined
      .flatMap((a) => list.map((b) => ({ all: a.all | b.all, none: a.none | b.none })))
      .slice(0, TERMS_MAX);
  }
  return joined;
}

/** Marks that are taken so far; those with the same components are one. */
class Marks {
  readonly #marks = new Map<string, ProgramMark>();
  readonly #bits = new Map<string, bigint>();

  all(): readonly ProgramMark[] {
    return [...this.#marks.values()];
  }

  /**
   * The bit that a program has when one of the tests holds on it.
   *
   * @param tests Tests of which some may be none that a mark decides.
   * @param options Whether the bit must be there on every such program.
   * @returns The bit; `undefined` when there is none.
   */
  bitOf(tests: readonly FieldTest[], { complete }: { complete: boolean }): bigint | undefined {
    const found = tests.map(foundOf).filter((mark) => mark !== undefined);
    if (complete && (found.length < tests.length || found.some((mark) => !mark.isComplete))) {
      return undefined;
    }
    const fitting = found.filter(({ mark }) => this.#fits(mark));
    if (fitting.length === 0 || (complete && fitting.length < found.length)) return undefined;
    const name = JSON.stringify(fitting.map(({ mark }) => mark));
    const known = this.#bits.get(name);
    if (known !== undefined) return known;
    if (this.#bits.size === BITS_MAX || this.#marks.size + fitting.length > MARKS_MAX) {
      return undefined;
    }
    const bit = 1n << BigInt(this.#bits.size);
    this.#bits.set(name, bit);
    for (const { mark } of fitting) {
      const key = keyOf(mark);
      this.#marks.set(key, { ...mark, bits: (this.#marks.get(key)?.bits ?? 0n) | bit });
    }
    return bit;
  }

  /** Whether the same components are not already wanted with other slashes. */
  #fits(mark: Found["mark"]): boolean {
    const same = this.#marks.get(keyOf(mark));
    return same === undefined ||
      (same.slashBefore === mark.slashBefore && same.slashAfter === mark.slashAfter);
  }
}

function keyOf({ type, components }: Found["mark"]): string {
  return JSON.stringify([type, ...components]);
}

/** The mark that decides a test, if there is one. */
function foundOf({ field, criterion }: FieldTest): Found | undefined {
  if (criterion.type !== "pattern" || criterion.cased) return undefined;
  const [first, second, third] = criterion.pattern;
  const { length } = criterion.pattern;
  if (field === "Image") {
    if (length === 1 && typeof first === "string") return wholePath(first);
    if (length === 2 && first === ANY && typeof second === "string") return tail(second);
    if (length === 2 && typeof first === "string" && second === ANY) return directory(first);
  }
  const isInside = length === 3 && first === ANY && third === ANY;
  if (!isInside || typeof second !== "string") return undefined;
  if (field === "Image") return part("part", second);
  return field === "CommandLine" ? part("argument", second) : undefined;
}

function wholePath(text: string): Found | undefined {
  if (!text.startsWith("/")) return undefined;
  return found("path", text.slice(1).split("/"), { before: true, complete: true });
}

function directory(text: string): Found | undefined {
  if (!text.startsWith("/") || text === "/") return undefined;
  const complete = text.endsWith("/");
  const path = complete ? text.slice(1, -1) : text.slice(1);
  return found("directory", path.split("/"), { before: true, after: true, complete });
}

function tail(text: string): Found | undefined {
  const complete = text.startsWith("/");
  const components = (complete ? text.slice(1) : text).split("/");
  if (components.length > MARK_SEQUENCE_MAX) return undefined;
  return found("tail", components, { before: true, complete });
}

function part(type: "part" | "argument", text: string): Found | undefined {
  const [before, after] = [text.startsWith("/"), text.endsWith("/")];
  const components = text.slice(before ? 1 : 0, after ? -1 : undefined).split("/");
  if (components.length > MARK_SEQUENCE_MAX || components.every((name) => name === "")) {
    return undefined;
  }
  // Arguments are looked at up to a bound: what they lack cannot be told.
  return found(type, components, { before, after, complete: type === "part" && before && after });
}

function found(
  type: ProgramMark["type"],
  components: readonly string[],
  { before = false, after = false, complete }: {
    readonly before?: boolean;
    readonly after?: boolean;
    readonly complete: boolean;
  },
): Found {
  return {
    mark: { type, components: components.map(foldCase), slashBefore: before, slashAfter: after },
    isComplete: complete,
  };
}
