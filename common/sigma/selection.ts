import { criteriaOf, type Scalar } from "./criteria.ts";
import { KEYWORDS_FIELD } from "./criterion.ts";
import type { Step } from "./document.ts";
import { and, type Expression, type FieldTest, or } from "./expression.ts";
import { FIELD_NAME_LENGTH_MAX, TESTS_PER_RULE_MAX } from "./limits.ts";
import { type Chain, ModifierError, parseChain } from "./modifiers.ts";
import { PlaceholderError, type Placeholders } from "./placeholders.ts";
import { invalid, type Position, RuleProblem } from "./problem.ts";
import { RegexError } from "./regex/mod.ts";

/** Where the steps of a document stand. */
export type Locate = (path: readonly Step[]) => Position;

/** What rules are read with. */
export interface RuleOptions {
  /** Values of placeholders (`expand`), by name without percent signs. Default: none. */
  readonly placeholders?: Placeholders;
}

/** Field tests that may still be made. */
export interface TestBudget {
  tests: number;
}

/** How a selection is read. */
export interface SelectionOptions extends RuleOptions {
  /** The document's places. */
  readonly locate: Locate;
  /** It is drawn from while values are read, so that none makes more tests than there may be. */
  readonly budget: TestBudget;
}

/** A place, looked up when a problem asks for it. */
interface Place extends SelectionOptions {
  readonly path: readonly Step[];
  /** Which entry of the list that stands there. */
  entry?: number;
}

const NO_PLACEHOLDERS: Placeholders = new Map();

/**
 * Reads one named selection: a map (all of its tests), a list of maps (any of them), or keywords,
 * which are looked for in all of an event.
 *
 * @param value The selection as plain values.
 * @param path Steps to it, for the places of problems.
 * @param options The document's places, and values of placeholders.
 * @returns What it asks of an event.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseSelection(
  value: unknown,
  path: readonly Step[],
  options: SelectionOptions,
): Expression {
  const here = { ...options, path };
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (entries.length === 0 || value === null) throw wrong(`${selectionAt(path)} is empty`, here);
  return or(entries.map((entry, i) => {
    const place = Array.isArray(value) ? { ...here, path: [...path, i] } : here;
    if (isScalar(entry)) return parseTest("", entry, place);
    if (typeof entry === "object" && entry !== null && !Array.isArray(entry)) {
      return parseMap(entry, place);
    }
    throw wrong(`${selectionAt(path)} has an entry that is no map, text or number`, place);
  }));
}

function parseMap(map: object, place: Place): Expression {
  const tests = Object.entries(map).map(([key, value]: [string, unknown]) =>
    parseTest(key, value, { ...place, path: [...place.path, key] })
  );
  if (tests.length === 0) throw wrong(`${selectionAt(place.path)} is empty`, place);
  return and(tests);
}

/** A test, `field|modifier|modifier: value or values`; without a field for keywords. */
function parseTest(key: string, value: unknown, place: Place): Expression {
  const [field = "", ...names] = key.split("|");
  if (field.length > FIELD_NAME_LENGTH_MAX) {
    throw wrong(`Name of a field is longer than ${FIELD_NAME_LENGTH_MAX} characters`, place);
  }
  const chain = named(field, place, () => {
    const parsed = parseChain(names);
    return field === KEYWORDS_FIELD ? keywordChain(parsed) : parsed;
  });
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const read: ReadTest = { field, chain, at: { ...place } };
  const tests = values.map((single, i) => {
    if (Array.isArray(value)) read.at.entry = i;
    return parseValueTest(single, read);
  });
  // An empty list is what null is: the field is not there.
  if (tests.length === 0) tests.push(parseValueTest(null, read));
  const joined = chain.all ? and(tests) : or(tests);
  return chain.negated ? { kind: "not", of: joined } : joined;
}

/** A test whose values are read one after the other. */
interface ReadTest {
  readonly field: string;
  readonly chain: Chain;
  readonly at: Place;
}

function parseValueTest(value: unknown, { field, chain, at }: ReadTest): Expression {
  if (value === null) {
    const { test } = chain;
    if (field === KEYWORDS_FIELD) throw wrong("Keywords: null is no keyword", at);
    const isPlain = test.kind === "text" && test.likeness === "equals" && test.steps.length === 0;
    if (!isPlain) throw wrong(`${nameOf(field)}: a modifier on null`, at);
    return { kind: "test", field, criterion: { type: "absent" } };
  }
  if (!isScalar(value)) {
    throw wrong(`${nameOf(field)}: a value that is no text, number or list of them`, at);
  }
  const { placeholders = NO_PLACEHOLDERS } = at;
  const criteria = named(field, at, () => criteriaOf(value, chain.test, { placeholders }));
  at.budget.tests -= criteria.length;
  if (at.budget.tests < 0) {
    throw wrong(`Rule has more than ${TESTS_PER_RULE_MAX} field tests; split it`, at);
  }
  const tests = criteria.map((criterion): FieldTest => ({ kind: "test", field, criterion }));
  return or(tests);
}

/** A keyword stands anywhere; where a value starts or ends is not to be told there. */
function keywordChain(chain: Chain): Chain {
  const { test } = chain;
  if (test.kind !== "text" && test.kind !== "regex") {
    throw new ModifierError(`A test of "${test.kind}" needs the name of a field before it`);
  }
  if (test.likeness === "startswith" || test.likeness === "endswith") {
    throw new ModifierError(`Modifier "${test.likeness}" needs the name of a field before it`);
  }
  return { ...chain, test: { ...test, likeness: "contains" } };
}

/** Gives a problem of a chain or value its field and place. */
function named<T>(field: string, place: Place, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PlaceholderError) {
      throw new RuleProblem("RULE_UNSUPPORTED", `${nameOf(field)}: ${error.message}`, {
        position: positionOf(place),
        feature: `placeholder %${error.placeholder}%`,
        cause: error,
      });
    }
    if (error instanceof RegexError) throw regexProblem(error, field, place);
    if (error instanceof ModifierError) throw wrong(`${nameOf(field)}: ${error.message}`, place);
    throw error;
  }
}

function regexProblem(error: RegexError, field: string, place: Place): RuleProblem {
  const { message, at, feature } = error;
  const reason = `${nameOf(field)}: regular expression: ${message} (at character ${at + 1})`;
  const position = positionOf(place);
  if (feature === undefined) return invalid(reason, position);
  return new RuleProblem("RULE_UNSUPPORTED", reason, { position, feature, cause: error });
}

function nameOf(field: string): string {
  return field === KEYWORDS_FIELD ? "Keywords" : `Field "${field}"`;
}

function selectionAt(path: readonly Step[]): string {
  const name = path.findLast((step) => typeof step === "string");
  return `Selection "${name}"`;
}

function wrong(reason: string, place: Place): RuleProblem {
  return invalid(reason, positionOf(place));
}

function positionOf({ path, entry, locate }: Place): Position {
  return locate(entry === undefined ? path : [...path, entry]);
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint" ||
    typeof value === "boolean";
}
