import { PATTERN_CHARS_MAX, PATTERN_COMPARISONS_MAX, PATTERN_DEPTH_MAX } from "./limits.ts";
import {
  type Alternatives,
  alternativesOf,
  type Comparison,
  type PatternNode,
} from "./stix_values.ts";

/**
 * Reads a STIX pattern (STIX 2.1, 9): which single values fulfil it. Observations that are joined
 * by OR are taken one by one; each that asks for more than one value can tell is named.
 *
 * @param pattern The pattern.
 * @returns Values, and why the other parts are left out.
 */
export function readPattern(pattern: string): Alternatives {
  if (pattern.length > PATTERN_CHARS_MAX) {
    return nothing(`it is over ${PATTERN_CHARS_MAX} characters`);
  }
  try {
    return alternativesOf(new PatternParser(tokensOf(pattern)).pattern());
  } catch (error) {
    if (error instanceof PatternError) return nothing(error.message);
    throw error;
  }
}

/** What a pattern has that is not read. */
class PatternError extends Error {
  override readonly name = "PatternError";
}

interface Token {
  readonly kind: "word" | "text" | "number" | "sign";
  readonly text: string;
}

/** Strings; object paths and words; numbers; signs. */
const TOKEN =
  /\s*(?:'((?:[^'\\]|\\.)*)'|([A-Za-z_][A-Za-z0-9_-]*(?::(?:[A-Za-z0-9_.-]|\[(?:\*|\d+)\]|'[^']*')*)?)|(-?\d+(?:\.\d+)?)|(!=|<=|>=|<>|==|[=<>()[\],]))/ys;

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = pattern.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const [, text, word, number, sign] = TOKEN.exec(pattern) ?? [];
    if (text !== undefined) tokens.push({ kind: "text", text: text.replaceAll(/\\(.)/gs, "$1") });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
    else throw new PatternError(`it cannot be read at character ${at + 1}`);
  }
  return tokens;
}

/** Recursive descent over tokens; its depth is bounded. */
class PatternParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #comparisons = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  pattern(): PatternNode {
    const node = this.#observations();
    if (this.#at < this.#tokens.length) this.#unexpected();
    return node;
  }

  #observation(): PatternNode {
    if (this.#takes("(")) return this.#nested(() => this.#observations(), ")");
    this.#wants("[");
    const node = this.#nested(() => this.#comparisonOr(), "]");
    // A qualifier asks for times or repeats, which no single value has.
    const qualifier = ["WITHIN", "REPEATS", "START"].find((word) => this.#isWord(word));
    if (qualifier === undefined) return node;
    while (this.#at < this.#tokens.length && !this.#isWord("OR") && !this.#isSign(")")) this.#at++;
    return { kind: "other", why: `"${qualifier}" asks for more than one event` };
  }

  #observations(): PatternNode {
    const all = (): PatternNode => this.#chain(["AND", "FOLLOWEDBY"], () => this.#observation());
    return this.#chain(["OR"], all);
  }

  #comparisonOr(): PatternNode {
    return this.#chain(["OR"], () => this.#chain(["AND"], () => this.#comparison()));
  }

  #comparison(): PatternNode {
    if (this.#takes("(")) return this.#nested(() => this.#comparisonOr(), ")");
    if (++this.#comparisons > PATTERN_COMPARISONS_MAX) {
      throw new PatternError(`it has over ${PATTERN_COMPARISONS_MAX} comparisons`);
    }
    const isNegated = this.#takesWord("NOT");
    const isExists = this.#takesWord("EXISTS");
    const path = this.#next();
    if (path.kind !== "word" || !path.text.includes(":")) this.#unexpected(path);
    if (isExists) return { kind: "other", why: `EXISTS ${path.text} asks for no value` };
    const isNotBefore = this.#takesWord("NOT");
    const operator = this.#next().text.toUpperCase();
    const values = this.#takes("(") ? this.#list() : [this.#literal()];
    const comparison: Comparison = {
      kind: "comparison",
      path: path.text,
      operator: isNegated || isNotBefore ? `NOT ${operator}` : operator,
      values,
    };
    return comparison;
  }

  #list(): readonly string[] {
    const values = [this.#literal()];
    while (this.#takes(",")) values.push(this.#literal());
    this.#wants(")");
    return values;
  }

  #literal(): string {
    const token = this.#next();
    // Hexadecimal, binary and time literals: a letter, then a string.
    if (token.kind === "word" && /^[hbt]$/.test(token.text)) return this.#literal();
    if (token.kind === "sign") this.#unexpected(token);
    return token.text;
  }

  /** Parts that one of some words joins; a single one stands for itself. */
  #chain(words: readonly string[], part: () => PatternNode): PatternNode {
    const parts = [part()];
    let joint = "";
    for (;;) {
      const word = words.find((each) => this.#takesWord(each));
      if (word === undefined) break;
      joint ||= word;
      parts.push(part());
    }
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    if (joint === "FOLLOWEDBY") return { kind: "other", why: '"FOLLOWEDBY" asks for two events' };
    return { kind: joint === "OR" ? "or" : "and", parts };
  }

  #nested(inner: () => PatternNode, end: string): PatternNode {
    if (++this.#depth > PATTERN_DEPTH_MAX) {
      throw new PatternError(`it is nested deeper than ${PATTERN_DEPTH_MAX}`);
    }
    const node = inner();
    this.#wants(end);
    this.#depth--;
    return node;
  }

  #isSign(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === "sign" && token.text === text;
  }

  #isWord(word: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === "word" && token.text.toUpperCase() === word;
  }

  #takes(sign: string): boolean {
    const is = this.#isSign(sign);
    if (is) this.#at++;
    return is;
  }

  #takesWord(word: string): boolean {
    const is = this.#isWord(word);
    if (is) this.#at++;
    return is;
  }

  #wants(sign: string): void {
    if (!this.#takes(sign)) this.#unexpected();
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) return this.#unexpected();
    this.#at++;
    return token;
  }

  #unexpected(token = this.#tokens[this.#at]): never {
    const what = token === undefined
      ? "it ends too early"
      : `${JSON.stringify(token.text.slice(0, 40))} is not expected there`;
    throw new PatternError(what);
  }
}

function nothing(why: string): Alternatives {
  return { values: [], left: [why] };
}
