import { type AtomOp, type AtomTest, atomTestOf } from "./atom.ts";
import { type Expression, type FieldTest, testsOf } from "./expression.ts";
import { standardField } from "./fields.ts";
import {
  ATOMS_MAX,
  CLASSES,
  FIELDREF,
  FIELDS_MAX,
  PROGRAM_DEPTH_MAX,
  RULES_MAX,
} from "./image_layout.ts";
import { classMaskOf, type LogSource, logSourceKey } from "./log_source.ts";
import { invalid, type Position, RuleProblem } from "./problem.ts";
import { compileProgram } from "./program.ts";
import { requirementOf } from "./requirement.ts";
import type { RuleLogic } from "./rule.ts";
import { WordPool } from "./word_pool.ts";

/** A field that the rules test. */
export interface PlannedField {
  readonly name: string;
  /** Id of the standard field, 0 = flat events alone have it. */
  readonly standard: number;
  /** Classes of the rules that test it. */
  classMask: number;
  /** Numbers of its atoms. */
  readonly atoms: number[];
}

/** One distinct test of a field. */
export interface PlannedAtom extends AtomTest {
  readonly field: number;
  /** Rules to look at when it is found. */
  readonly candidates: number[];
  /** Atoms to try when it is found. */
  readonly gated: number[];
  /** False: it is tried when an atom that it is gated by is found. */
  readonly alone: boolean;
}

/** One rule, compiled. */
export interface PlannedRule {
  readonly id: string;
  readonly classMask: number;
  /** Index of its program in the pool. */
  readonly program: number;
  readonly programWords: number;
  /** Index of its log source. */
  readonly logSource: number;
  /** Of a role rule: the role. */
  readonly role: number;
}

/** A rule that gives processes a role. */
export interface RoleRule {
  /** Role id, 1 to 65,535. */
  readonly role: number;
  /** What the program of a process must be like; tests of `ROLE_FIELDS` alone. */
  readonly expression: Expression;
  /** Where it stands. */
  readonly position: Position;
}

/** Fields that a role may depend on. */
export const ROLE_FIELDS: readonly string[] = ["Image", "CommandLine", "CurrentDirectory"];

/**
 * What it costs to wait for an atom, in looks at a rule an event: how often it is found, roughly, and
 * what the search for it takes.
 */
const TRIGGER_COSTS: Partial<Record<AtomOp, number>> = {
  present: 2,
  empty: 1,
  glob: 0.5,
  regex: 1,
  cidr: 0.5,
  number: 1,
  fieldref: 1.5,
};
/** What each text costs that is looked for. */
const TRIGGER_COST_TEXT = 1 / 1024;
/** How often a value has a text anywhere: in so many places, of which each byte more spares most. */
const PLACES = 64;
const BITS_PER_BYTE_ANYWHERE = 2.5;
/** Names at an end of a value come again and again: a byte more spares less. */
const BITS_PER_BYTE_AT_END = 1;
/** How much dearer a test is that holds on all events of a process, or of its children. */
const TRIGGER_COST_OFTEN = 16;
const OF_PROCESS: ReadonlySet<string> = new Set([
  "Image",
  "CommandLine",
  "CurrentDirectory",
  "User",
]);
const OF_ANCESTORS: ReadonlySet<string> = new Set([
  "ParentImage",
  "ParentCommandLine",
  "ParentUser",
  "AncestorImage",
]);

/** A field's name and the classes of the rules that ask for it. */
interface FieldUse {
  readonly field: string;
  readonly classMask: number;
}

/** Collects rules into fields, distinct atoms and programs. */
export class Plan {
  readonly fields: PlannedField[] = [];
  readonly atoms: PlannedAtom[] = [];
  readonly rules: PlannedRule[] = [];
  /** Role rules; their numbers follow those of the rules. */
  readonly roles: PlannedRule[] = [];
  readonly logSources: LogSource[] = [];
  /** Rules that hold when no atom is found: looked at on every event of their class. */
  readonly always: number[] = [];
  readonly pool: WordPool = new WordPool();
  readonly #fieldByName = new Map<string, number>();
  /** Of each field, by number. */
  readonly #atoms: AtomNumbers[] = [];
  readonly #logSourceByKey = new Map<string, number>();

  /**
   * Adds a rule. A rule that does not fit leaves the plan as it was.
   *
   * @param rule Parsed rule.
   * @throws {RuleProblem} when it does not fit.
   */
  add(rule: RuleLogic): void {
    this.#makeRoom(rule);
    const classMask = classMaskOf(rule);
    const { pool } = this;
    const atomOf = (test: FieldTest) => this.#atom(test, classMask);
    const { words, depth } = compileProgram(rule.expression, { atomOf, pool });
    if (depth > PROGRAM_DEPTH_MAX) throw tooDeep(rule);
    const index = this.rules.length;
    this.rules.push({
      id: rule.id,
      classMask,
      program: pool.append(words),
      programWords: words.length,
      logSource: this.#logSource(rule.logSource),
      role: 0,
    });
    const trigger = requirementOf(rule.expression, (test) => triggerCost(test, classMask));
    if (trigger === undefined) this.always.push(index);
    else for (const atom of new Set(trigger.tests.map(atomOf))) this.#candidate(atom, index);
  }

  /**
   * Adds a role rule, after all rules. Of those that hold on a program the first one counts.
   *
   * @param rule The rule.
   * @throws {RuleProblem} when it tests other fields, holds with no test at all, or does not fit.
   */
  addRole(rule: RoleRule): void {
    const { role, expression, position } = rule;
    const other = [...testsOf(expression)].find(({ field }) => !ROLE_FIELDS.includes(field));
    if (other !== undefined) {
      const reason = `A role is found by ${ROLE_FIELDS.join(", ")}, not by ${other.field}`;
      throw invalid(reason, position);
    }
    const classMask = CLASSES.role;
    const trigger = requirementOf(expression, (test) => triggerCost(test, classMask));
    if (trigger === undefined) {
      throw invalid("A role needs a test that its programs fulfil; name one", position);
    }
    this.#makeRoom(rule);
    const { pool } = this;
    const atomOf = (test: FieldTest): number => this.#atom(test, classMask);
    const { words } = compileProgram(expression, { atomOf, pool });
    const index = this.rules.length + this.roles.length;
    const program = { program: pool.append(words), programWords: words.length };
    this.roles.push({ id: `role ${role}`, classMask, ...program, logSource: 0, role });
    for (const atom of new Set(trigger.tests.map(atomOf))) this.#candidate(atom, index);
  }

  /** Counts what the rule would add before anything is added. */
  #makeRoom(rule: Pick<RuleLogic, "expression" | "position">): void {
    if (this.#hasRoom(rule.expression)) return;
    const { position, expression } = rule;
    const fields = new Set<string>();
    const atoms = new Set<string>();
    for (const { field, criterion } of testsOf(expression)) {
      const atom = atomTestOf(criterion);
      for (const name of [field, atom.other ?? field]) {
        if (!this.#fieldByName.has(name)) fields.add(name);
      }
      const known = this.#atoms[this.#fieldByName.get(field) ?? -1];
      for (const each of [atom, ...(atom.needs ?? [])]) {
        if (known?.get(each) === undefined) atoms.add(`${field}\n${keyOf(each)}`);
      }
    }
    const check = (name: string, count: number, most: number) => {
      if (count <= most) return;
      const reason = `Rule set would have ${count} ${name}, at most ${most} fit; load fewer rules`;
      throw new RuleProblem("RULE_SET_TOO_LARGE", reason, { position });
    };
    check("rules", this.rules.length + this.roles.length + 1, RULES_MAX);
    check("fields", this.fields.length + fields.size, FIELDS_MAX);
    check("distinct tests", this.atoms.length + atoms.size, ATOMS_MAX);
    const options = { atomOf: () => 0, pool: new WordPool() };
    if (compileProgram(expression, options).depth > PROGRAM_DEPTH_MAX) throw tooDeep(rule);
  }

  /** Whether a rule fits even when all that it asks is new: what most rules do, at a glance. */
  #hasRoom(expression: Expression): boolean {
    const { tests, depth } = boundsOf(expression);
    return this.rules.length + this.roles.length < RULES_MAX &&
      this.fields.length + 2 * tests <= FIELDS_MAX &&
      this.atoms.length + tests <= ATOMS_MAX && depth <= PROGRAM_DEPTH_MAX;
  }

  #candidate(atom: number, rule: number): void {
    this.atoms[atom]?.candidates.push(rule);
  }

  #atom(test: FieldTest, classMask: number): number {
    const atom = atomTestOf(test.criterion);
    const at = { field: test.field, classMask };
    if (atom.other === undefined) return this.#intern(atom, at);
    const { field: other } = this.#want({ field: atom.other, classMask });
    const text = atom.text.slice();
    new DataView(text.buffer).setUint16(FIELDREF.field, other, true);
    return this.#intern({ ...atom, text }, at);
  }

  /** The number of an atom; a new one is hung below the literals that it needs. */
  #intern(test: AtomTest, at: FieldUse): number {
    const { field, planned } = this.#want(at);
    const numbers = this.#atoms[field] ??= new AtomNumbers();
    const known = numbers.get(test);
    if (known !== undefined) return known;
    const gates = (test.needs ?? []).map((needed) => this.#intern(needed, at));
    const number = this.atoms.length;
    numbers.set(test, number);
    planned.atoms.push(number);
    this.atoms.push({ ...test, field, candidates: [], gated: [], alone: gates.length === 0 });
    for (const gate of new Set(gates)) this.atoms[gate]?.gated.push(number);
    return number;
  }

  /** A field that rules of these classes ask for. */
  #want({ field: name, classMask }: FieldUse): {
    readonly field: number;
    readonly planned: PlannedField;
  } {
    const field = this.#field(name);
    const planned = this.fields[field];
    if (planned === undefined) throw new TypeError(`No field ${field}`);
    planned.classMask = (planned.classMask | classMask) >>> 0;
    return { field, planned };
  }

  #field(name: string): number {
    return intern(this.#fieldByName, name, () => {
      const standard = standardField(name)?.id ?? 0;
      return this.fields.push({ name, standard, classMask: 0, atoms: [] }) - 1;
    });
  }

  #logSource(logSource: LogSource): number {
    const key = logSourceKey(logSource);
    return intern(this.#logSourceByKey, key, () => this.logSources.push(logSource) - 1);
  }
}

function intern(numbers: Map<string, number>, key: string, make: () => number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  const made = make();
  numbers.set(key, made);
  return made;
}

/** Numbers of the atoms of a field; a test that was seen before is found without its key. */
class AtomNumbers {
  readonly #byTest = new Map<AtomTest, number>();
  readonly #byKey = new Map<string, number>();

  get(test: AtomTest): number | undefined {
    const known = this.#byTest.get(test);
    if (known !== undefined) return known;
    const number = this.#byKey.get(keyOf(test));
    if (number !== undefined) this.#byTest.set(test, number);
    return number;
  }

  set(test: AtomTest, number: number): void {
    this.#byTest.set(test, number);
    this.#byKey.set(keyOf(test), number);
  }
}

function keyOf({ op, chars, cased, other = "" }: AtomTest): string {
  return `${op}\n${cased}\n${other}\n${chars}`;
}

/** How many atoms and how deep a stack an expression may need at the most. */
function boundsOf(expression: Expression): { readonly tests: number; readonly depth: number } {
  if (expression.kind === "test") {
    return { tests: 1 + (atomTestOf(expression.criterion).needs?.length ?? 0), depth: 1 };
  }
  if (expression.kind === "not") return boundsOf(expression.of);
  let [tests, depth] = [0, 0];
  for (const inner of expression.of) {
    const bounds = boundsOf(inner);
    tests += bounds.tests;
    depth = Math.max(depth, bounds.depth);
  }
  return { tests, depth: depth + (expression.kind === "at_least" ? expression.of.length : 1) };
}

function triggerCost({ field, criterion }: FieldTest, classMask: number): number {
  const { op, text, needs } = atomTestOf(criterion);
  const often = isOfAllEvents(field, classMask) ? TRIGGER_COST_OFTEN : 1;
  if (needs !== undefined) {
    return often * needs.reduce((sum, { text }) => sum + costAnywhere(text.length), 0);
  }
  const other = TRIGGER_COSTS[op];
  if (other !== undefined) return often * other;
  if (op === "contains") return often * costAnywhere(text.length);
  return often * (TRIGGER_COST_TEXT + 2 ** (-BITS_PER_BYTE_AT_END * text.length));
}

function costAnywhere(bytes: number): number {
  return TRIGGER_COST_TEXT + Math.min(1, PLACES * 2 ** (-BITS_PER_BYTE_ANYWHERE * bytes));
}

/** Whether the field says the same on all events of a process: what is found once is on each. */
function isOfAllEvents(field: string, classMask: number): boolean {
  if (OF_ANCESTORS.has(field)) return true;
  return OF_PROCESS.has(field) && (classMask & CLASSES.process_creation) === 0;
}

function tooDeep({ position }: Pick<RuleLogic, "position">): RuleProblem {
  const reason = `Condition needs more than ${PROGRAM_DEPTH_MAX} intermediate results; simplify it`;
  return invalid(reason, position);
}
