import type { Criterion } from "./criterion.ts";
import {
  ATOM_OPS,
  CIDR,
  COMPARISONS,
  FIELDREF,
  FIELDREF_BYTES,
  GLOB_ANY,
  GLOB_ONE,
  LIKENESSES,
  NUMBER,
  NUMBER_BYTES,
  TIME_PARTS,
} from "./image_layout.ts";
import { compileRegex, parseRegex, requiredLiterals } from "./regex/mod.ts";
import { ANY, foldCase, ONE, type Pattern } from "./value.ts";

/** Name of what an atom tests. */
export type AtomOp = keyof typeof ATOM_OPS;

/** A test of a field in the engine's terms. */
export interface AtomTest {
  readonly op: AtomOp;
  /** As ATOM_OPS has it: UTF-8, ASCII case folded unless `cased`. Empty for `present`, `empty`. */
  readonly text: Uint8Array;
  /** What tells its text from others of the same operation. */
  readonly chars: string;
  /** Letters count as they are written. */
  readonly cased: boolean;
  /** The other field of a `fieldref`, whose number the text still lacks. */
  readonly other?: string;
  /** Literals, of which a value that passes has one; absent: it may have none. */
  readonly needs?: readonly AtomTest[];
}

/** Shortest literal that a test waits for, in characters: shorter ones are found too often. */
const NEEDED_LENGTH_MIN = 3;
const ENCODER = new TextEncoder();
const NOTHING = new Uint8Array(0);
const PRESENT: AtomTest = { op: "present", text: NOTHING, chars: "", cased: false };
const EMPTY: AtomTest = { op: "empty", text: NOTHING, chars: "", cased: false };

/** Tests of the criteria that were seen: a rule's are asked for several times. */
const MADE = new WeakMap<Criterion, AtomTest>();
/** Tests of regular expressions by flags and pattern: a program takes long to make, and many rules
 * share one. All are forgotten when there are `REGEXES_MAX`. */
const REGEXES = new Map<string, AtomTest>();
const REGEXES_MAX = 1024;

/**
 * Chooses the cheapest test that decides a criterion.
 *
 * @param criterion What a value must be like; absence is `present` negated.
 * @returns The test.
 * @throws {RegexError} when a regular expression cannot be compiled.
 */
export function atomTestOf(criterion: Criterion): AtomTest {
  const known = MADE.get(criterion);
  if (known !== undefined) return known;
  const made = makeTest(criterion);
  MADE.set(criterion, made);
  return made;
}

function makeTest(criterion: Criterion): AtomTest {
  switch (criterion.type) {
    case "absent":
      return PRESENT;
    case "pattern":
      return patternAtom(criterion.pattern, criterion.cased);
    case "regex":
      return regexAtom(criterion);
    case "cidr":
      return named("cidr", cidrText(criterion));
    case "number":
      return named("number", numberText(criterion));
    case "fieldref": {
      const text = new Uint8Array(FIELDREF_BYTES);
      text[FIELDREF.likeness] = LIKENESSES[criterion.likeness];
      return { ...named("fieldref", text), cased: criterion.cased, other: criterion.other };
    }
  }
}

/** A test by the bytes of its text. */
function named(op: AtomOp, text: Uint8Array): AtomTest {
  return { op, text, chars: text.join(), cased: false };
}

function patternAtom(pattern: Pattern, isCased: boolean): AtomTest {
  const [first, second, third] = pattern;
  if (first === undefined) return EMPTY;
  // Without letters both ways are the same.
  const cased = isCased && pattern.some((part) => /[A-Za-z]/.test(String(part)));
  const plain = (op: AtomOp, text: string): AtomTest => {
    const chars = cased ? text : foldCase(text);
    return { op, text: ENCODER.encode(chars), chars, cased };
  };
  if (pattern.length === 1) {
    if (first === ANY) return PRESENT;
    if (typeof first === "string") return plain("equals", first);
  }
  if (pattern.length === 2) {
    if (typeof first === "string" && second === ANY) return plain("startswith", first);
    if (first === ANY && typeof second === "string") return plain("endswith", second);
  }
  if (pattern.length === 3 && first === ANY && typeof second === "string" && third === ANY) {
    return plain("contains", second);
  }
  const chars = globText(pattern, cased);
  return {
    op: "glob",
    text: ENCODER.encode(chars),
    chars,
    cased,
    ...needsOf([longest(pattern)]),
  };
}

function globText(pattern: Pattern, cased: boolean): string {
  const wildcard = { [ANY]: String.fromCharCode(GLOB_ANY), [ONE]: String.fromCharCode(GLOB_ONE) };
  const text = pattern.map((part) => {
    if (typeof part !== "string") return wildcard[part];
    return cased ? part : foldCase(part);
  });
  return text.join("");
}

function longest(pattern: Pattern): string {
  return pattern.reduce<string>(
    (best, part) => typeof part === "string" && part.length > best.length ? part : best,
    "",
  );
}

function needsOf(literals: readonly string[] | undefined): Pick<AtomTest, "needs"> {
  if (literals === undefined || literals.length === 0) return {};
  if (!literals.every(({ length }) => length >= NEEDED_LENGTH_MIN)) return {};
  const needs = literals.map((literal): AtomTest => {
    const chars = foldCase(literal);
    return { op: "contains", text: ENCODER.encode(chars), chars, cased: false };
  });
  return { needs };
}

function regexAtom(criterion: Extract<Criterion, { type: "regex" }>): AtomTest {
  const { source, ignoreCase, multiline, dotAll } = criterion;
  const chars = `${ignoreCase} ${multiline} ${dotAll} ${source}`;
  const known = REGEXES.get(chars);
  if (known !== undefined) return known;
  const regex = parseRegex(source, criterion);
  const made: AtomTest = {
    op: "regex",
    text: compileRegex(regex),
    chars,
    cased: false,
    ...needsOf(requiredLiterals(regex)),
  };
  if (REGEXES.size === REGEXES_MAX) REGEXES.clear();
  REGEXES.set(chars, made);
  return made;
}

function cidrText({ address, prefix }: Extract<Criterion, { type: "cidr" }>): Uint8Array {
  const text = new Uint8Array(CIDR.address + address.length);
  text[CIDR.bytes] = address.length;
  text[CIDR.prefix] = prefix;
  text.set(address, CIDR.address);
  return text;
}

function numberText(criterion: Extract<Criterion, { type: "number" }>): Uint8Array {
  const view = new DataView(new ArrayBuffer(NUMBER_BYTES));
  view.setUint8(NUMBER.comparison, COMPARISONS[criterion.comparison]);
  view.setUint8(NUMBER.part, criterion.part === undefined ? 0 : TIME_PARTS[criterion.part]);
  view.setFloat64(NUMBER.number, criterion.number, true);
  return new Uint8Array(view.buffer);
}
