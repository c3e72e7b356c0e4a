import {
  ATOM_FLAGS,
  ATOM_OPS,
  ATOM_ROW,
  ATOM_ROW_BYTES,
  AUTOMATON,
  AUTOMATON_OUTPUT_BIT,
  CLASS_ALL,
  FIELD_ROW,
  FIELD_ROW_BYTES,
  GLOB_ANY,
  GLOB_ONE,
  IMAGE_HEADER,
  NONE,
  PROGRAM_DEPTH_MAX,
  PROGRAM_OPS,
  RULE_ROW,
  RULE_ROW_BYTES,
} from "./image_layout.ts";
import { LITERALS } from "./literal_layout.ts";

const OP_NAMES = new Map(Object.entries(PROGRAM_OPS).map(([name, op]) => [op as number, name]));
/** Operations that skip words, and the bit at which they do. */
const JUMPS: ReadonlyMap<number, boolean> = new Map([
  [PROGRAM_OPS.unless, false],
  [PROGRAM_OPS.when, true],
]);

/**
 * Reads a rule image by its layout alone and judges flat events with it, as an engine does: one
 * walk of the automaton a field, candidates, programs.
 */
export class ImageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fields: readonly string[];

  /**
   * @param bytes A rule image.
   * @param fields Names of its fields, by index.
   */
  constructor(bytes: Uint8Array, fields: readonly string[]) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fields = fields;
  }

  /** A member of the header. */
  header(name: Exclude<keyof typeof IMAGE_HEADER, "hash" | "version" | "header_length">): number {
    return this.#u32(IMAGE_HEADER[name]);
  }

  /** Classes of a rule. */
  classMask(rule: number): number {
    return this.#u32(this.header("rules") + rule * RULE_ROW_BYTES + RULE_ROW.class_mask);
  }

  /** Rules that fire on an event of these classes, in the order of the image. */
  fire(event: ReadonlyMap<string, string>, classes: number = CLASS_ALL): number[] {
    const found = this.#atomsOf(event, classes);
    return [...this.candidates(found)].filter((rule) =>
      (this.classMask(rule) & classes) !== 0 && this.run(rule, found)
    ).sort((a, b) => a - b);
  }

  /** Rules to look at when these atoms were found. */
  candidates(found: ReadonlySet<number>): ReadonlySet<number> {
    const rules = new Set(this.#list(this.header("always")));
    for (const atom of found) {
      const row = this.header("atoms") + atom * ATOM_ROW_BYTES;
      for (const rule of this.#list(this.#u32(row + ATOM_ROW.candidates))) rules.add(rule);
    }
    return rules;
  }

  /** Runs the program of a rule over atom bits. */
  run(rule: number, found: ReadonlySet<number>): boolean {
    const row = this.header("rules") + rule * RULE_ROW_BYTES;
    const start = this.#u32(row + RULE_ROW.program);
    const stack: boolean[] = [];
    const pop = (): boolean => {
      const bit = stack.pop();
      if (bit === undefined) throw new RangeError("Stack of a program is empty");
      return bit;
    };
    for (let i = 0; i < this.#u32(row + RULE_ROW.program_words); i++) {
      const word = this.#word(start + i);
      const jumpsWhen = JUMPS.get(word >>> 24);
      if (jumpsWhen !== undefined) {
        if (stack.at(-1) === jumpsWhen) i += word & 0xFFFFFF;
        continue;
      }
      stack.push(this.#step(word, { found, pop }));
      if (stack.length > PROGRAM_DEPTH_MAX) throw new RangeError("Stack of a program is too deep");
    }
    const result = pop();
    if (stack.length !== 0) throw new RangeError("A program left more than one bit");
    return result;
  }

  #step(
    word: number,
    { found, pop }: { readonly found: ReadonlySet<number>; readonly pop: () => boolean },
  ): boolean {
    const operand = word & 0xFFFFFF;
    const op = OP_NAMES.get(word >>> 24);
    if (op === "atom") return found.has(operand);
    if (op === "any") return this.#list(operand).some((atom) => found.has(atom));
    if (op === "all") return this.#list(operand).every((atom) => found.has(atom));
    if (op === "not") return !pop();
    if (op === "constant") return (operand & 1) === 1;
    if (op === "at_least") {
      const bits = Array.from({ length: operand & 0xFFF }, pop);
      return bits.filter((bit) => bit).length >= operand >> 12;
    }
    const [b, a] = [pop(), pop()];
    if (op === "and") return a && b;
    if (op === "or") return a || b;
    throw new RangeError(`No operation ${word >>> 24}`);
  }

  #atomsOf(event: ReadonlyMap<string, string>, classes: number): ReadonlySet<number> {
    const found = new Set<number>();
    for (let i = 0; i < this.header("field_count"); i++) {
      const row = this.header("fields") + i * FIELD_ROW_BYTES;
      const text = event.get(this.#fields[i] ?? "");
      if (text === undefined || (this.#u32(row + FIELD_ROW.class_mask) & classes) === 0) continue;
      const value = new TextEncoder().encode(text).map((byte) => byte === 0 ? 0x20 : byte);
      const present = this.#u32(row + FIELD_ROW.present);
      const empty = this.#u32(row + FIELD_ROW.empty);
      const singles = this.#u32(row + FIELD_ROW.singles);
      const automaton = this.#u32(row + FIELD_ROW.automaton);
      const blocks = [FIELD_ROW.literals, FIELD_ROW.asked].map((place) => this.#u32(row + place));
      if (present !== NONE) found.add(present);
      if (empty !== NONE && value.length === 0) found.add(empty);
      for (const atom of blocks.flatMap((at) => at === 0 ? [] : this.#members(at))) {
        const ends = Array.from({ length: value.length + 1 }, (_, end) => end);
        if (ends.some((end) => this.#stands(atom, end, value))) found.add(atom);
      }
      if (automaton !== 0) this.#walk(automaton, value, found);
      for (const atom of [...this.#toTry(singles, found), ...this.#lateOf(i)]) {
        if (this.#fits(atom, value)) found.add(atom);
      }
    }
    return found;
  }

  /** Atoms to try one by one: the field's own, and those that found literals put forward. */
  #toTry(singles: number, found: ReadonlySet<number>): ReadonlySet<number> {
    const toTry = new Set(singles === NONE ? [] : this.#list(singles));
    for (const atom of found) {
      const gated = this.#u32(this.header("atoms") + atom * ATOM_ROW_BYTES + ATOM_ROW.gated);
      if (gated !== NONE) this.#list(gated).forEach((each) => toTry.add(each));
    }
    return toTry;
  }

  /** Atoms of a field that rules alone ask for: to try them at once comes to the same. */
  #lateOf(field: number): number[] {
    const isLate = (atom: number): boolean => {
      const row = this.header("atoms") + atom * ATOM_ROW_BYTES;
      return this.#view.getUint16(row + ATOM_ROW.field, true) === field &&
        (this.#u32(row + ATOM_ROW.flags) & ATOM_FLAGS.late) !== 0;
    };
    return Array.from({ length: this.header("atom_count") }, (_, atom) => atom).filter(isLate);
  }

  #fits(atom: number, value: Uint8Array): boolean {
    const { op, text, cased } = this.atom(atom);
    if (op !== ATOM_OPS.glob) throw new RangeError(`Atom ${atom} has operation ${op}`);
    return globMatches(text, cased ? value : value.map(lower));
  }

  /** Atoms of a block of literals; how it finds them is the engine's matter. */
  #members(at: number): readonly number[] {
    const members = at + this.#u32(at + LITERALS.members);
    const count = this.#u32(at + LITERALS.member_count);
    return Array.from({ length: count }, (_, i) => this.#u32(members + i * 4));
  }

  #walk(at: number, value: Uint8Array, found: Set<number>): void {
    const classes = this.#u32(at + AUTOMATON.classes);
    const transitions = at + this.#u32(at + AUTOMATON.transitions);
    const starts = at + this.#u32(at + AUTOMATON.output_starts);
    const outputs = at + this.#u32(at + AUTOMATON.outputs);
    let state = 0;
    value.forEach((byte, i) => {
      const of = this.#bytes[at + AUTOMATON.class_of + byte] ?? 0;
      const next = this.#u32(transitions + (state * classes + of) * 4);
      state = next & ~AUTOMATON_OUTPUT_BIT;
      const first = this.#u32(starts + state * 4);
      const end = this.#u32(starts + (state + 1) * 4);
      if ((end > first) !== (next >= AUTOMATON_OUTPUT_BIT)) throw new RangeError("Bit 31 is wrong");
      for (let output = first; output < end; output++) {
        const atom = this.#u32(outputs + output * 4);
        if (this.#stands(atom, i + 1, value)) found.add(atom);
      }
    });
  }

  /** Whether the text of a literal ends at a place of a value, and may. */
  #stands(atom: number, end: number, value: Uint8Array): boolean {
    const { op, text, cased } = this.atom(atom);
    const { length } = value;
    if (end < text.length) return false;
    const here = value.subarray(end - text.length, end);
    if (!text.every((byte, i) => byte === (cased ? here[i] : lower(here[i] ?? 0)))) return false;
    if (op === ATOM_OPS.equals) return end === length && text.length === length;
    if (op === ATOM_OPS.startswith) return end === text.length;
    if (op === ATOM_OPS.endswith) return end === length;
    if (op === ATOM_OPS.contains) return true;
    throw new RangeError(`Atom ${atom} has operation ${op} among literals`);
  }

  /** Row of an atom. */
  atom(index: number): { readonly op: number; readonly text: Uint8Array; readonly cased: boolean } {
    const row = this.header("atoms") + index * ATOM_ROW_BYTES;
    const start = this.#u32(row + ATOM_ROW.text);
    const length = this.#u32(row + ATOM_ROW.text_length);
    if (start + length > this.header("text_bytes")) throw new RangeError("Text is out of bounds");
    const at = this.header("texts") + start;
    const op = this.#view.getUint16(row + ATOM_ROW.op, true);
    const cased = (this.#u32(row + ATOM_ROW.flags) & ATOM_FLAGS.cased) !== 0;
    return { op, text: this.#bytes.subarray(at, at + length), cased };
  }

  #list(index: number): number[] {
    return Array.from({ length: this.#word(index) }, (_, i) => this.#word(index + 1 + i));
  }

  #word(index: number): number {
    if (index >= this.header("word_count")) throw new RangeError(`No word ${index} in the pool`);
    return this.#u32(this.header("words") + index * 4);
  }

  #u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte;
}

/** Table of which prefixes of the glob fit which prefixes of the value, row by row. */
function globMatches(glob: Uint8Array, value: Uint8Array): boolean {
  let row = [true, ...Array.from(value, () => false)];
  for (const part of glob) {
    const next = [part === GLOB_ANY && row[0] === true];
    value.forEach((byte, i) => {
      next.push(
        part === GLOB_ANY
          ? next[i] === true || row[i + 1] === true
          : row[i] === true && (part === GLOB_ONE || part === byte),
      );
    });
    row = next;
  }
  return row[value.length] === true;
}
