import { type AtomOp, atomTestOf } from "./atom.ts";
import type { Expression, FieldTest } from "./expression.ts";
import { ATOMS_MAX, PROGRAM_OPS } from "./image_layout.ts";
import type { WordPool } from "./word_pool.ts";

/** Most bits that one `at_least` counts. */
const AT_LEAST_BITS = 12;
/** Bits of a word's operand. */
const OPERAND_BITS = 24;
const TEST_COSTS: Readonly<Record<AtomOp, number>> = {
  present: 1,
  empty: 1,
  equals: 1,
  startswith: 1,
  endswith: 1,
  number: 2,
  cidr: 2,
  contains: 4,
  fieldref: 4,
  glob: 16,
  regex: 16,
};

/** A rule's program. */
export interface Program {
  readonly words: readonly number[];
  /** Most bits on the stack at any time. */
  readonly depth: number;
}

/** What a program is made with. */
export interface ProgramOptions {
  /** Number of the atom of a test. */
  readonly atomOf: (test: FieldTest) => number;
  /** Where its lists go. */
  readonly pool: WordPool;
}

/**
 * Translates an expression into a program over atom bits, in postfix order.
 *
 * @param expression What the rule asks.
 * @param options Atoms and pool.
 * @returns The program; its depth may be more than an engine takes.
 */
export function compileProgram(expression: Expression, options: ProgramOptions): Program {
  switch (expression.kind) {
    case "test": {
      const push = word("atom", options.atomOf(expression));
      const words = expression.criterion.type === "absent" ? [push, word("not", 0)] : [push];
      return { words, depth: 1 };
    }
    case "not": {
      const inner = compileProgram(expression.of, options);
      return { words: [...inner.words, word("not", 0)], depth: inner.depth };
    }
    case "and":
    case "or":
      return chain(expression.kind, expression.of, options);
    case "at_least": {
      const parts = expression.of.map((part) => compileProgram(part, options));
      const count = word("at_least", expression.count << AT_LEAST_BITS | parts.length);
      return {
        words: [...parts.flatMap(({ words }) => words), count],
        depth: Math.max(...parts.map(({ depth }, i) => i + depth)),
      };
    }
  }
}

function chain(
  kind: "and" | "or",
  of: readonly Expression[],
  options: ProgramOptions,
): Program {
  const isPlain = (part: Expression): part is FieldTest =>
    part.kind === "test" && part.criterion.type !== "absent";
  const plain = of.filter(isPlain);
  // The cheapest first; atoms of one cost in the order of their numbers, so that equal lists are one.
  const ranks = Float64Array.from(plain, (test) => costOf(test) * ATOMS_MAX + options.atomOf(test));
  const atoms = [...new Set(ranks.sort())].map((rank) => rank % ATOMS_MAX);
  const parts = of.length === plain.length ? [] : of.filter((part) => !isPlain(part))
    .map((part) => ({ ...compileProgram(part, options), cost: costOf(part) }));
  const [only] = atoms;
  if (only !== undefined) {
    const listed = kind === "and" ? "all" : "any";
    const push = atoms.length === 1 ? word("atom", only) : word(listed, options.pool.list(atoms));
    const cost = plain.reduce((sum, test) => sum + costOf(test), 0);
    parts.unshift({ words: [push], depth: 1, cost });
  }
  if (parts.length === 1) return parts[0] as Program;
  parts.sort((a, b) => a.cost - b.cost);
  const words = parts.reduceRight<readonly number[]>((rest, part, i) => {
    const own = i === 0 ? part.words : [...part.words, word(kind, 0)];
    if (rest.length === 0) return own;
    return [...own, word(kind === "and" ? "unless" : "when", rest.length), ...rest];
  }, []);
  return { words, depth: Math.max(...parts.map(({ depth }, i) => depth + Math.min(i, 1))) };
}

/** What it takes to find out whether an expression holds, roughly: what takes less is asked first. */
function costOf(expression: Expression): number {
  switch (expression.kind) {
    case "test":
      return TEST_COSTS[atomTestOf(expression.criterion).op];
    case "not":
      return costOf(expression.of);
    default:
      return expression.of.reduce((sum, part) => sum + costOf(part), 0);
  }
}

function word(op: keyof typeof PROGRAM_OPS, operand: number): number {
  if (operand >= 2 ** OPERAND_BITS) throw new RangeError(`Operand ${operand} exceeds its 24 bits`);
  return (PROGRAM_OPS[op] << OPERAND_BITS | operand) >>> 0;
}
