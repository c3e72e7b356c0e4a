import type { Assertion, CodeRange, RegexFlags, RegexNode } from "./ast.ts";
import {
  CODE_POINT_MAX,
  complement,
  normalized,
  PERL_CLASSES,
  POSIX_CLASSES,
  withBothCases,
} from "./code_ranges.ts";
import { RegexError } from "./error.ts";

/** Most times that a counted repetition may ask for (RE2 has the same bound). */
export const REPEATS_MAX = 1000;
/** Deepest nesting of groups. */
export const GROUP_DEPTH_MAX = 100;
/** Longest pattern, in UTF-16 units. */
export const PATTERN_LENGTH_MAX = 4096;

const CONTROL_ESCAPES: ReadonlyMap<string, number> = new Map([
  ["a", 0x07],
  ["f", 0x0C],
  ["n", 0x0A],
  ["r", 0x0D],
  ["t", 0x09],
  ["v", 0x0B],
]);
const ASSERTION_ESCAPES: ReadonlyMap<string, Assertion> = new Map([
  ["A", "text_start"],
  ["z", "text_end"],
  ["Z", "text_end"],
  ["b", "word_boundary"],
  ["B", "not_word_boundary"],
]);

/**
 * Reads a pattern in RE2 syntax.
 *
 * @param pattern The pattern.
 * @param flags How it is read from its start on; `(?ims)` in it changes that.
 * @returns Its syntax tree.
 * @throws {RegexError} where it does not hold, or needs what no linear-time matcher has.
 */
export function parseRegex(pattern: string, flags: RegexFlags = {}): RegexNode {
  if (pattern.length > PATTERN_LENGTH_MAX) {
    throw new RegexError(`Pattern is longer than ${PATTERN_LENGTH_MAX} characters`, 0);
  }
  return new RegexParser(pattern, flags).parse();
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  /** Greed is turned around, which changes nothing here. */
  readonly ungreedy: boolean;
}

class RegexParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #flags: Flags;

  constructor(text: string, flags: RegexFlags) {
    this.#text = text;
    const { ignoreCase = false, multiline = false, dotAll = false } = flags;
    this.#flags = { ignoreCase, multiline, dotAll, ungreedy: false };
  }

  parse(): RegexNode {
    const node = this.#alternate();
    if (this.#at < this.#text.length) throw this.#wrong(`")" without "("`);
    return node;
  }

  get #next(): string {
    return this.#text.charAt(this.#at);
  }

  #wrong(reason: string, at = this.#at): RegexError {
    return new RegexError(reason, at);
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #alternate(): RegexNode {
    const at = this.#at;
    const of = [this.#concat()];
    while (this.#take("|")) of.push(this.#concat());
    const [only] = of;
    return only !== undefined && of.length === 1 ? only : { type: "alternate", at, of };
  }

  #concat(): RegexNode {
    const at = this.#at;
    const of: RegexNode[] = [];
    while (this.#at < this.#text.length && this.#next !== "|" && this.#next !== ")") {
      if (this.#take("\\Q")) of.push(...this.#quoted());
      else of.push(this.#repeated(this.#atom()));
    }
    const [only] = of;
    if (of.length === 0) return { type: "empty", at };
    return only !== undefined && of.length === 1 ? only : { type: "concat", at, of };
  }

  #quoted(): RegexNode[] {
    const end = this.#text.indexOf("\\E", this.#at);
    const stop = end < 0 ? this.#text.length : end;
    const of: RegexNode[] = [];
    while (this.#at < stop) of.push(this.#single(this.#character()));
    if (end >= 0) this.#at += 2;
    return of;
  }

  #repeated(node: RegexNode): RegexNode {
    let repeated = node;
    for (let count = 0;; count++) {
      const { at } = node;
      const start = this.#at;
      const bounds = this.#quantifier();
      if (bounds === undefined) return repeated;
      if (count > 0) throw this.#wrong("Quantifier on a quantifier; put brackets around", start);
      if (node.type === "assert") throw this.#wrong("Quantifier on an assertion", start);
      if (this.#next === "+") throw unsupported("possessive quantifier", this.#at);
      this.#take("?");
      repeated = { type: "repeat", at, of: node, ...bounds };
    }
  }

  #quantifier(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Infinity };
    if (this.#take("+")) return { min: 1, max: Infinity };
    if (this.#take("?")) return { min: 0, max: 1 };
    const found = /^\{(\d{1,9})(,?)(\d{0,9})\}/.exec(this.#text.slice(this.#at, this.#at + 22));
    if (found === null) return undefined;
    const [whole, from = "", comma, to = ""] = found;
    if (comma === "" && to !== "") return undefined;
    const min = Number(from);
    const max = comma === "" ? min : to === "" ? Infinity : Number(to);
    if (min > REPEATS_MAX || (max !== Infinity && max > REPEATS_MAX)) {
      throw this.#wrong(`Repetition of more than ${REPEATS_MAX}`);
    }
    if (max < min) throw this.#wrong(`Repetition "${whole}" ends before it starts`);
    this.#at += whole.length;
    return { min, max };
  }

  #atom(): RegexNode {
    const at = this.#at;
    switch (this.#next) {
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case ".":
        this.#at++;
        return { type: "set", at, ranges: this.#anyCharacter(), open: true };
      case "^":
        this.#at++;
        return this.#assert(this.#flags.multiline ? "line_start" : "text_start", at);
      case "$":
        this.#at++;
        return this.#assert(this.#flags.multiline ? "line_end" : "text_end", at);
      case "*":
      case "+":
      case "?":
        throw this.#wrong(`"${this.#next}" has nothing to repeat`);
      case "\\":
        return this.#escape();
      default:
        return this.#single(this.#character());
    }
  }

  #anyCharacter(): readonly CodeRange[] {
    return this.#flags.dotAll ? [[0, CODE_POINT_MAX]] : complement([[0x0A, 0x0A]]);
  }

  #assert(assertion: Assertion, at: number): RegexNode {
    return { type: "assert", at, assertion };
  }

  #single(code: number): RegexNode {
    return { type: "set", at: this.#at - 1, ranges: this.#cased([[code, code]]), open: false };
  }

  #cased(ranges: readonly CodeRange[]): readonly CodeRange[] {
    return this.#flags.ignoreCase ? withBothCases(normalized(ranges)) : normalized(ranges);
  }

  #character(): number {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw this.#wrong("Pattern ends too early");
    this.#at += code > 0xFFFF ? 2 : 1;
    return code;
  }

  #group(): RegexNode {
    const start = this.#at++;
    if (++this.#depth > GROUP_DEPTH_MAX) {
      throw this.#wrong(`Groups are nested deeper than ${GROUP_DEPTH_MAX}`, start);
    }
    const outer = this.#flags;
    const opened = this.#groupHead(start);
    if (opened === "flags") {
      this.#depth--;
      return { type: "empty", at: start };
    }
    const of = this.#alternate();
    if (!this.#take(")")) throw this.#wrong(`"(" without ")"`, start);
    this.#flags = outer;
    this.#depth--;
    return { type: "group", at: start, of };
  }

  /** Reads what follows `(`; `flags` when the group is nothing but flags for what follows. */
  #groupHead(start: number): "open" | "flags" {
    if (this.#next === "*") throw this.#wrong("Verbs are no part of the syntax", start);
    if (!this.#take("?")) return "open";
    if (/^(?:=|!|<=|<!)/.test(this.#text.slice(this.#at, this.#at + 2))) {
      throw unsupported("lookaround", start);
    }
    if (this.#next === ">") throw unsupported("atomic group", start);
    const name = /^P?<[A-Za-z_]\w*>/.exec(this.#text.slice(this.#at));
    if (name !== null) {
      this.#at += name[0].length;
      return "open";
    }
    const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#text.slice(this.#at));
    if (flags === null) throw this.#wrong(`Group "(?" is of no known kind`, start);
    const [whole, on = "", off = "", end] = flags;
    this.#at += whole.length;
    const set = (letter: string, before: boolean): boolean =>
      off.includes(letter) ? false : on.includes(letter) || before;
    this.#flags = {
      ignoreCase: set("i", this.#flags.ignoreCase),
      multiline: set("m", this.#flags.multiline),
      dotAll: set("s", this.#flags.dotAll),
      ungreedy: set("U", this.#flags.ungreedy),
    };
    return end === ")" ? "flags" : "open";
  }

  #escape(): RegexNode {
    const at = this.#at++;
    const letter = this.#next;
    const assertion = ASSERTION_ESCAPES.get(letter);
    if (assertion !== undefined) {
      this.#at++;
      return this.#assert(assertion, at);
    }
    const perl = this.#perlClass();
    if (perl !== undefined) {
      const open = /[A-Z]/.test(letter);
      return { type: "set", at, ranges: perl, open };
    }
    return { type: "set", at, ranges: this.#cased(one(this.#escaped(at))), open: false };
  }

  /** `\d`, `\D` and their like, behind the backslash. */
  #perlClass(): readonly CodeRange[] | undefined {
    const letter = this.#next;
    const ranges = PERL_CLASSES.get(letter.toLowerCase());
    if (ranges === undefined) return undefined;
    this.#at++;
    return letter === letter.toLowerCase() ? ranges : complement(ranges);
  }

  /** The character of an escape, behind the backslash. */
  #escaped(at: number): number {
    const letter = this.#next;
    if (letter === "") throw this.#wrong("Pattern ends with a backslash", at);
    if (/[1-9]/.test(letter) || letter === "k" || letter === "g") {
      throw unsupported("back-reference", at);
    }
    if (letter === "p" || letter === "P") throw unsupported("Unicode class", at);
    if (letter === "x" || letter === "u") return this.#hex(at);
    if (letter === "0") {
      const octal = /^0[0-7]{0,2}/.exec(this.#text.slice(this.#at, this.#at + 3))?.[0] ?? "0";
      this.#at += octal.length;
      return Number.parseInt(octal, 8);
    }
    const control = CONTROL_ESCAPES.get(letter);
    if (control !== undefined) {
      this.#at++;
      return control;
    }
    if (/[A-Za-z]/.test(letter)) throw this.#wrong(`Escape "\\${letter}" is unknown`, at);
    return this.#character();
  }

  #hex(at: number): number {
    const text = this.#text.slice(this.#at, this.#at + 12);
    const found = /^(?:x([0-9A-Fa-f]{2})|[xu]\{([0-9A-Fa-f]{1,8})\}|u([0-9A-Fa-f]{4}))/.exec(text);
    const digits = found?.[1] ?? found?.[2] ?? found?.[3];
    if (found === null || digits === undefined) throw this.#wrong("Escape has no number", at);
    const code = Number.parseInt(digits, 16);
    if (code > CODE_POINT_MAX) throw this.#wrong(`"${digits}" is no code point`, at);
    this.#at += found[0].length;
    return code;
  }

  #class(): RegexNode {
    const at = this.#at++;
    const isNegated = this.#take("^");
    const ranges: CodeRange[] = [];
    for (let first = true; first || this.#next !== "]"; first = false) {
      if (this.#at >= this.#text.length) throw this.#wrong(`"[" without "]"`, at);
      ranges.push(...this.#classPart());
    }
    this.#at++;
    const cased = this.#cased(ranges);
    return {
      type: "set",
      at,
      ranges: isNegated ? complement(cased) : cased,
      open: isNegated,
    };
  }

  #classPart(): readonly CodeRange[] {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#text.slice(this.#at, this.#at + 16));
    if (posix !== null) {
      const [whole, negated, name = ""] = posix;
      const known = POSIX_CLASSES.get(name);
      if (known === undefined) throw this.#wrong(`Class "${whole}" is unknown`);
      this.#at += whole.length;
      return negated === "" ? known : complement(normalized(known));
    }
    const start = this.#at;
    const first = this.#classMember();
    if (typeof first !== "number") return first;
    if (this.#next !== "-" || this.#text.charAt(this.#at + 1) === "]") return one(first);
    this.#at++;
    const last = this.#classMember();
    if (typeof last !== "number") throw this.#wrong("Range ends with a class", start);
    if (last < first) throw this.#wrong("Range ends before it starts", start);
    return [[first, last]];
  }

  #classMember(): number | readonly CodeRange[] {
    if (this.#at >= this.#text.length) throw this.#wrong(`"[" without "]"`);
    const at = this.#at;
    if (!this.#take("\\")) return this.#character();
    const perl = this.#perlClass();
    if (perl !== undefined) return perl;
    if (this.#take("b")) return 0x08;
    return this.#escaped(at);
  }
}

function one(code: number): readonly CodeRange[] {
  return [[code, code]];
}

function unsupported(feature: string, at: number): RegexError {
  const reason = `${
    feature === "atomic group" ? "An" : "A"
  } ${feature} has no place in a linear-time matcher; write it without`;
  return new RegexError(reason, at, feature);
}
