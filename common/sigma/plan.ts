import { type AtomTest, atomTestOf } from "./atom.ts";
import { type FieldTest, testsOf } from "./expression.ts";
import { standardField } from "./fields.ts";
import { ATOMS_MAX, FIELDS_MAX, PROGRAM_DEPTH_MAX, RULES_MAX } from "./image_layout.ts";
import { classMaskOf, type LogSource, logSourceKey } from "./log_source.ts";
import { invalid, RuleProblem } from "./problem.ts";
import { compileProgram } from "./program.ts";
import { requirementOf } from "./requirement.ts";
import type { Rule } from "./rule.ts";
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
}

/** What `evaluate first` costs: an atom that is found on few events is worth more. */
const TRIGGER_COSTS = { present: 64, empty: 32, glob: 16 } as const;
const TRIGGER_COST_TEXT = 32;

/** Collects rules into fields, distinct atoms and programs. */
export class Plan {
  readonly fields: PlannedField[] = [];
  readonly atoms: PlannedAtom[] = [];
  readonly rules: PlannedRule[] = [];
  readonly logSources: LogSource[] = [];
  /** Rules that hold when no atom is found: looked at on every event of their class. */
  readonly always: number[] = [];
  readonly pool: WordPool = new WordPool();
  readonly #fieldByName = new Map<string, number>();
  readonly #atomByKey = new Map<string, number>();
  readonly #logSourceByKey = new Map<string, number>();

  /**
   * Adds a rule. A rule that does not fit leaves the plan as it was.
   *
   * @param rule Parsed rule.
   * @throws {RuleProblem} when it does not fit.
   */
  add(rule: Rule): void {
    this.#makeRoom(rule);
    const classMask = classMaskOf(rule.logSource);
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
    });
    const trigger = requirementOf(rule.expression, triggerCost);
    if (trigger === undefined) this.always.push(index);
    else for (const atom of new Set(trigger.tests.map(atomOf))) this.#candidate(atom, index);
  }

  /** Counts what the rule would add before anything is added. */
  #makeRoom(rule: Rule): void {
    const { position, expression } = rule;
    const fields = new Set<string>();
    const atoms = new Set<string>();
    for (const test of testsOf(expression)) {
      if (!this.#fieldByName.has(test.field)) fields.add(test.field);
      const key = keyOf(test.field, atomTestOf(test.criterion));
      if (!this.#atomByKey.has(key)) atoms.add(key);
    }
    const check = (name: string, count: number, most: number) => {
      if (count <= most) return;
      const reason = `Rule set would have ${count} ${name}, at most ${most} fit; load fewer rules`;
      throw new RuleProblem("RULE_SET_TOO_LARGE", reason, { position });
    };
    check("rules", this.rules.length + 1, RULES_MAX);
    check("fields", this.fields.length + fields.size, FIELDS_MAX);
    check("distinct tests", this.atoms.length + atoms.size, ATOMS_MAX);
    const options = { atomOf: () => 0, pool: new WordPool() };
    if (compileProgram(expression, options).depth > PROGRAM_DEPTH_MAX) throw tooDeep(rule);
  }

  #candidate(atom: number, rule: number): void {
    this.atoms[atom]?.candidates.push(rule);
  }

  #atom(test: FieldTest, classMask: number): number {
    const field = this.#field(test.field);
    const planned = this.fields[field];
    if (planned === undefined) throw new TypeError(`No field ${field}`);
    planned.classMask = (planned.classMask | classMask) >>> 0;
    const atom = atomTestOf(test.criterion);
    const key = keyOf(test.field, atom);
    return intern(this.#atomByKey, key, () => {
      planned.atoms.push(this.atoms.length);
      return this.atoms.push({ ...atom, field, candidates: [] }) - 1;
    });
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

function keyOf(field: string, { op, text }: AtomTest): string {
  return `${field}\n${op}\n${text.join()}`;
}

function triggerCost({ criterion }: FieldTest): number {
  const { op, text } = atomTestOf(criterion);
  if (op === "present" || op === "empty" || op === "glob") return TRIGGER_COSTS[op];
  return TRIGGER_COST_TEXT / text.length;
}

function tooDeep({ position }: Rule): RuleProblem {
  const reason = `Condition needs more than ${PROGRAM_DEPTH_MAX} intermediate results; simplify it`;
  return invalid(reason, position);
}
