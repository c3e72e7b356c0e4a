import { CONDITION_DEPTH_MAX, CONDITION_LENGTH_MAX } from "./limits.ts";

/** A condition, before its names are looked up. `count: "all"` is `all of`. */
export type Condition =
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | {
    readonly kind: "of";
    readonly count: number | "all";
    /** Name with `*` wildcards, or `them`. */
    readonly names: string;
    readonly at: number;
  }
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition };

/** A condition that does not parse, or uses what this version lacks. */
export class ConditionError extends Error {
  override readonly name = "ConditionError";
  /** Offset in the condition, in characters. */
  readonly at: number;
  /** The feature that is not supported; absent when the condition is wrong. */
  readonly feature: string | undefined;

  /**
   * @param reason One line.
   * @param at Offset in the condition, in characters.
   * @param feature Name of a feature that this version lacks.
   */
  constructor(reason: string, at: number, feature?: string) {
    super(reason);
    this.at = at;
    this.feature = feature;
  }
}

interface Token {
  readonly text: string;
  readonly at: number;
}

const TOKEN = /\s*([()|]|[\w*.-]+)/y;
const AGGREGATION = "aggregation in a condition";
const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "not", "of"]);

/**
 * Parses a condition: `not` binds before `and`, `and` before `or`.
 *
 * @param text Condition of a rule.
 * @returns Its syntax tree.
 * @throws {ConditionError} when it does not parse.
 */
export function parseCondition(text: string): Condition {
  if (text.length > CONDITION_LENGTH_MAX) {
    throw new ConditionError(`Condition is longer than ${CONDITION_LENGTH_MAX} characters`, 0);
  }
  const parser = new ConditionParser(tokenize(text), text.length);
  return parser.parse();
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const token = match[1] ?? "";
    end = TOKEN.lastIndex;
    const at = end - token.length;
    // What follows has a grammar of its own, so it is not looked at.
    if (token === "|") throw new ConditionError(`${AGGREGATION} is missing`, at, AGGREGATION);
    tokens.push({ text: token, at });
  }
  const rest = text.slice(end);
  if (rest.trim() !== "") {
    const at = end + rest.length - rest.trimStart().length;
    throw new ConditionError(`Condition has an unexpected "${text.charAt(at)}"`, at);
  }
  return tokens;
}

class ConditionParser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  parse(): Condition {
    const condition = this.#or();
    const token = this.#tokens[this.#next];
    if (token !== undefined) throw this.#unexpected(token);
    return condition;
  }

  #or(): Condition {
    return this.#chain("or", () => this.#chain("and", () => this.#not()));
  }

  #chain(kind: "and" | "or", inner: () => Condition): Condition {
    const first = inner();
    const of = [first];
    while (this.#accept(kind)) of.push(inner());
    return of.length === 1 ? first : { kind, of };
  }

  #not(): Condition {
    const token = this.#tokens[this.#next];
    if (++this.#depth > CONDITION_DEPTH_MAX) {
      throw new ConditionError(
        `Condition is nested deeper than ${CONDITION_DEPTH_MAX} levels`,
        token?.at ?? this.#end,
      );
    }
    const condition: Condition = this.#accept("not")
      ? { kind: "not", of: this.#not() }
      : this.#operand();
    this.#depth--;
    return condition;
  }

  #operand(): Condition {
    if (this.#accept("(")) {
      const inner = this.#or();
      if (!this.#accept(")")) throw this.#unexpected(this.#tokens[this.#next], `")"`);
      return inner;
    }
    const token = this.#take();
    if (this.#peekIs("of")) return this.#quantified(token);
    if (!isName(token.text)) throw this.#unexpected(token, "the name of a selection");
    if (token.text.includes("*")) {
      throw new ConditionError(
        `Condition has "${token.text}" without "1 of" or "all of" before it`,
        token.at,
      );
    }
    return { kind: "name", name: token.text, at: token.at };
  }

  #quantified(quantity: Token): Condition {
    this.#next++;
    const names = this.#take();
    if (!isName(names.text)) throw this.#unexpected(names, "the name of a selection");
    return { kind: "of", count: countOf(quantity), names: names.text, at: names.at };
  }

  #accept(text: string): boolean {
    if (!this.#peekIs(text)) return false;
    this.#next++;
    return true;
  }

  #peekIs(text: string): boolean {
    return this.#tokens[this.#next]?.text.toLowerCase() === text;
  }

  #take(): Token {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw this.#unexpected(undefined, "the name of a selection");
    return token;
  }

  #unexpected(token: Token | undefined, wanted = "the end"): ConditionError {
    if (token === undefined) {
      return new ConditionError(`Condition ends where ${wanted} should be`, this.#end);
    }
    return new ConditionError(
      `Condition has "${token.text}" where ${wanted} should be`,
      token.at,
    );
  }
}

function countOf({ text, at }: Token): number | "all" {
  const quantity = text.toLowerCase();
  if (quantity === "all") return "all";
  if (quantity === "any") return 1;
  if (/^[1-9]\d{0,3}$/.test(quantity)) return Number(quantity);
  throw new ConditionError(`Condition has "${text} of"; use "1 of" or "all of"`, at);
}

function isName(text: string): boolean {
  return /^[\w*.-]+$/.test(text) && !KEYWORDS.has(text.toLowerCase());
}
