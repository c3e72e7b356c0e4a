import { createHash } from "node:crypto";
import { ImmuneError } from "../config/errors.ts";
import type { AtomOp } from "./atom.ts";
import { buildAutomaton } from "./automaton.ts";
import { STANDARD_FIELDS } from "./fields.ts";
import { encodeLiterals, type Literal, type LiteralBlock, type LiteralOp } from "./literals.ts";
import {
  ATOM_CLASSES_SHIFT,
  ATOM_FLAGS,
  ATOM_OPS,
  ATOM_ROW,
  ATOM_ROW_BYTES,
  FIELD_ROW,
  FIELD_ROW_BYTES,
  IMAGE_BYTES_MAX,
  IMAGE_HEADER,
  IMAGE_HEADER_BYTES,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  NONE,
  RULE_ROW,
  RULE_ROW_BYTES,
} from "./image_layout.ts";
import type { Plan, PlannedAtom, PlannedField } from "./plan.ts";
import { foldCase } from "./value.ts";

const HASH_BYTES = 32;
const ENCODER = new TextEncoder();

/** A rule image and its name. */
export interface Image {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256, 64 lower-case hexadecimal digits; also in the image's header. */
  readonly hash: string;
}

/**
 * Writes a plan as a rule image (layout: `image_layout.ts`, prose: `specs/rule_image.md`).
 *
 * @param plan Rules, fields and atoms.
 * @param options `bytesMax`: most bytes of it; default: those of an engine's region.
 * @returns The image.
 * @throws {ImmuneError} `RULE_SET_TOO_LARGE` when it is longer.
 */
export function encodeImage(
  plan: Plan,
  { bytesMax = IMAGE_BYTES_MAX }: { readonly bytesMax?: number } = {},
): Image {
  const texts = textPool(plan);
  const rules = [...plan.rules, ...plan.roles];
  const fields = plan.fields.map((field) => fieldRow(plan, field));
  const always = plan.pool.list(plan.always);
  const candidates = plan.atoms.map((atom) => plan.pool.list(atom.candidates));
  const gated = plan.atoms.map((atom) =>
    atom.gated.length === 0 ? NONE : plan.pool.list(atom.gated)
  );
  const relations = plan.pool.list(
    plan.atoms.flatMap(({ op }, number) => op === "fieldref" ? [number] : []),
  );
  const { words } = plan.pool;
  const at = layOut({
    fields: plan.fields.length * FIELD_ROW_BYTES,
    atoms: plan.atoms.length * ATOM_ROW_BYTES,
    rules: rules.length * RULE_ROW_BYTES,
    words: words.length * 4,
    texts: texts.bytes.length,
  });
  const literals = placeBlocks(fields.map((row) => row.literals), at.end);
  const asked = placeBlocks(fields.map((row) => row.asked), literals.end);
  const automata = placeBlocks(fields.map((row) => row.automaton), asked.end);
  const length = automata.end;
  if (length > bytesMax) {
    throw new ImmuneError(
      "RULE_SET_TOO_LARGE",
      `Cannot build the rule image: ${length} bytes, at most ${bytesMax} fit; ` +
        `load fewer rules`,
    );
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  writeHeader(view, plan, {
    length,
    always,
    relations,
    words: words.length,
    texts: texts.bytes.length,
    at,
  });
  fields.forEach((row, i) => {
    const offset = at.fields + i * FIELD_ROW_BYTES;
    view.setUint32(offset + FIELD_ROW.standard, row.field.standard, true);
    view.setUint32(offset + FIELD_ROW.class_mask, row.field.classMask, true);
    view.setUint32(offset + FIELD_ROW.literals, literals.offsets[i] ?? 0, true);
    view.setUint32(offset + FIELD_ROW.asked, asked.offsets[i] ?? 0, true);
    view.setUint32(offset + FIELD_ROW.automaton, automata.offsets[i] ?? 0, true);
    view.setUint32(offset + FIELD_ROW.present, row.present, true);
    view.setUint32(offset + FIELD_ROW.empty, row.empty, true);
    view.setUint32(offset + FIELD_ROW.singles, row.singles, true);
    bytes.set(row.literals, literals.offsets[i] ?? 0);
    bytes.set(row.asked, asked.offsets[i] ?? 0);
    bytes.set(row.automaton, automata.offsets[i] ?? 0);
  });
  plan.atoms.forEach((atom, i) => {
    const offset = at.atoms + i * ATOM_ROW_BYTES;
    view.setUint16(offset + ATOM_ROW.field, atom.field, true);
    view.setUint16(offset + ATOM_ROW.op, ATOM_OPS[atom.op], true);
    view.setUint32(offset + ATOM_ROW.text, texts.offsets[i] ?? 0, true);
    view.setUint32(offset + ATOM_ROW.text_length, atom.text.length, true);
    view.setUint32(offset + ATOM_ROW.candidates, candidates[i] ?? 0, true);
    view.setUint32(offset + ATOM_ROW.flags, flagsOf(plan, atom), true);
    view.setUint32(offset + ATOM_ROW.gated, gated[i] ?? NONE, true);
  });
  rules.forEach((rule, i) => {
    const offset = at.rules + i * RULE_ROW_BYTES;
    view.setUint32(offset + RULE_ROW.class_mask, rule.classMask, true);
    view.setUint32(offset + RULE_ROW.program, rule.program, true);
    view.setUint32(offset + RULE_ROW.program_words, rule.programWords, true);
    view.setUint32(offset + RULE_ROW.log_source, rule.logSource, true);
    view.setUint16(offset + RULE_ROW.role, rule.role, true);
  });
  words.forEach((word, i) => view.setUint32(at.words + i * 4, word, true));
  bytes.set(texts.bytes, at.texts);
  const hash = hashOf(bytes);
  bytes.set(hash, IMAGE_HEADER.hash);
  return { bytes, hash: hash.toHex() };
}

/**
 * Checks that an image is whole: magic, version, length and hash.
 *
 * @param bytes An image.
 * @returns Its hash, 64 lower-case hexadecimal digits.
 * @throws {ImmuneError} `IMAGE_INVALID`, which names the check that failed.
 */
export function verifyImage(bytes: Uint8Array): string {
  const fail = (check: string) =>
    new ImmuneError("IMAGE_INVALID", `Cannot use rule image: ${check}; compile the rules again`);
  if (bytes.length < IMAGE_HEADER_BYTES) throw fail(`${bytes.length} bytes are no header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(IMAGE_HEADER.magic, true) !== IMAGE_MAGIC) throw fail("magic is wrong");
  const version = view.getUint16(IMAGE_HEADER.version, true);
  if (version !== IMAGE_VERSION) throw fail(`version is ${version}, not ${IMAGE_VERSION}`);
  const length = view.getUint32(IMAGE_HEADER.length, true);
  if (length !== bytes.length) throw fail(`length says ${length}, there are ${bytes.length} bytes`);
  const hash = hashOf(bytes).toHex();
  const stored = bytes.subarray(IMAGE_HEADER.hash, IMAGE_HEADER.hash + HASH_BYTES);
  if (hash !== stored.toHex()) throw fail("hash does not agree with the content");
  return hash;
}

function hashOf(bytes: Uint8Array): Uint8Array {
  const hash = createHash("sha256")
    .update(bytes.subarray(0, IMAGE_HEADER.hash))
    .update(new Uint8Array(HASH_BYTES))
    .update(bytes.subarray(IMAGE_HEADER.hash + HASH_BYTES));
  return new Uint8Array(hash.digest());
}

/** Atoms that are found as literals. */
const LITERAL_OPS: ReadonlySet<string> = new Set<LiteralOp>([
  "equals",
  "startswith",
  "endswith",
  "contains",
]);
const NO_LITERALS: LiteralBlock = { bytes: new Uint8Array(0), left: [] };
/** Atoms that are tried one by one. */
const SINGLE_OPS: ReadonlySet<AtomOp> = new Set(["glob", "regex", "cidr", "number"]);

interface FieldRow {
  readonly field: PlannedField;
  /** Of the literals that rules wait for. */
  readonly literals: Uint8Array;
  /** Of those that the programs of rules alone ask for. */
  readonly asked: Uint8Array;
  /** Of the literals that the blocks do not take. */
  readonly automaton: Uint8Array;
  readonly present: number;
  readonly empty: number;
  readonly singles: number;
}

function fieldRow(plan: Plan, field: PlannedField): FieldRow {
  const atoms = field.atoms.flatMap((number) => {
    const atom = plan.atoms[number];
    return atom === undefined ? [] : [{ ...atom, atom: number }];
  });
  const one = (op: "present" | "empty") => atoms.find((atom) => atom.op === op)?.atom ?? NONE;
  const [waited, asked] = [false, true].map((isAsked) => {
    const literals = atoms.flatMap((atom): Literal[] => {
      const { op, text, chars, cased, atom: number } = atom;
      if (!isLiteral(op) || isLate(plan, atom) !== isAsked) return [];
      if (!cased) return [{ atom: number, op, text, chars }];
      return [{ atom: number, op, text: folded(text), chars: foldCase(chars) }];
    });
    return literals.length === 0 ? NO_LITERALS : encodeLiterals(literals);
  }) as [LiteralBlock, LiteralBlock];
  const left = [...waited.left, ...asked.left];
  const singles = atoms.filter((atom) =>
    SINGLE_OPS.has(atom.op) && atom.alone && !isLate(plan, atom)
  )
    .map(({ atom }) => atom);
  return {
    field,
    literals: waited.bytes,
    asked: asked.bytes,
    automaton: left.length === 0 ? new Uint8Array(0) : buildAutomaton(left),
    present: one("present"),
    empty: one("empty"),
    singles: singles.length === 0 ? NONE : plan.pool.list(singles),
  };
}

function isLiteral(op: AtomOp): op is LiteralOp {
  return LITERAL_OPS.has(op);
}

/** Whether no rule waits for an atom, be it by way of another: rules alone ask for it. */
function isLate(plan: Plan, { op, candidates, gated, field }: PlannedAtom): boolean {
  if (!SINGLE_OPS.has(op) && !isLiteral(op)) return false;
  // A field with many values: an atom holds when it does for one of them.
  if (plan.fields[field]?.standard === STANDARD_FIELDS.AncestorImage.id) return false;
  return candidates.length === 0 &&
    gated.every((number) => plan.atoms[number]?.candidates.length === 0);
}

/** Late atoms are tried, or found as literals are: by what they are, or by the gates they have. */
function lateFlag(atom: PlannedAtom): number {
  return isLiteral(atom.op) || !atom.alone ? ATOM_FLAGS.asked : ATOM_FLAGS.late;
}

function flagsOf(plan: Plan, atom: PlannedAtom): number {
  const { cased, candidates } = atom;
  const classes = candidates.reduce((mask, number) => {
    const rule = plan.rules[number] ?? plan.roles[number - plan.rules.length];
    return mask | (rule?.classMask ?? 0);
  }, 0);
  const flat = classes < 0 ? 1 << 31 : 0;
  const bits = (cased ? ATOM_FLAGS.cased : 0) | (isLate(plan, atom) ? lateFlag(atom) : 0);
  return (bits | classes << ATOM_CLASSES_SHIFT | flat) >>> 0;
}

/** ASCII letters in lower case. */
function folded(text: Uint8Array): Uint8Array {
  return text.map((byte) => byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte);
}

/** Texts of the atoms, then the rules' ids, a line each, so that the hash is theirs too. */
function textPool(plan: Plan): { readonly bytes: Uint8Array; readonly offsets: number[] } {
  let end = 0;
  const offsets = plan.atoms.map(({ text }) => (end += text.length) - text.length);
  const ids = ENCODER.encode([...plan.rules, ...plan.roles].map(({ id }) => `${id}\n`).join(""));
  const bytes = new Uint8Array(end + ids.length);
  plan.atoms.forEach(({ text }, i) => bytes.set(text, offsets[i]));
  bytes.set(ids, end);
  return { bytes, offsets };
}

type Sections = Readonly<Record<"fields" | "atoms" | "rules" | "words" | "texts", number>>;
type Places = Sections & { readonly end: number };

function layOut(sizes: Sections): Places {
  const fields = IMAGE_HEADER_BYTES;
  const atoms = align(fields + sizes.fields);
  const rules = align(atoms + sizes.atoms);
  const words = align(rules + sizes.rules);
  const texts = align(words + sizes.words);
  return { fields, atoms, rules, words, texts, end: align(texts + sizes.texts) };
}

/** Places of blocks one behind the other; 0 for one that is empty. */
function placeBlocks(
  blocks: readonly Uint8Array[],
  start: number,
): { readonly offsets: readonly number[]; readonly end: number } {
  let end = start;
  const offsets = blocks.map((block) => {
    const offset = block.length === 0 ? 0 : end;
    end = align(end + block.length);
    return offset;
  });
  return { offsets, end };
}

interface HeaderNumbers {
  readonly length: number;
  readonly always: number;
  readonly relations: number;
  readonly words: number;
  readonly texts: number;
  readonly at: Places;
}

function writeHeader(view: DataView, plan: Plan, numbers: HeaderNumbers): void {
  const rules = [...plan.rules, ...plan.roles];
  const set = (offset: number, value: number) => view.setUint32(offset, value, true);
  set(IMAGE_HEADER.magic, IMAGE_MAGIC);
  view.setUint16(IMAGE_HEADER.version, IMAGE_VERSION, true);
  view.setUint16(IMAGE_HEADER.header_length, IMAGE_HEADER_BYTES, true);
  set(IMAGE_HEADER.length, numbers.length);
  set(IMAGE_HEADER.rule_count, rules.length);
  set(IMAGE_HEADER.role_count, plan.roles.length);
  set(IMAGE_HEADER.atom_count, plan.atoms.length);
  set(IMAGE_HEADER.field_count, plan.fields.length);
  set(IMAGE_HEADER.class_mask, rules.reduce((mask, rule) => mask | rule.classMask, 0) >>> 0);
  set(IMAGE_HEADER.log_source_count, plan.logSources.length);
  set(IMAGE_HEADER.fields, numbers.at.fields);
  set(IMAGE_HEADER.atoms, numbers.at.atoms);
  set(IMAGE_HEADER.rules, numbers.at.rules);
  set(IMAGE_HEADER.words, numbers.at.words);
  set(IMAGE_HEADER.word_count, numbers.words);
  set(IMAGE_HEADER.texts, numbers.at.texts);
  set(IMAGE_HEADER.text_bytes, numbers.texts);
  set(IMAGE_HEADER.always, numbers.always);
  set(IMAGE_HEADER.relations, numbers.relations);
}

function align(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
