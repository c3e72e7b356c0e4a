// Of the rules on opened files, what a kernel can tell without a rule engine: which opens none of them
// could fire on (specs/sensor_filter.md). What is left is sent, and judged in user space.

import { auditClassOf } from "./audit.ts";
import type { FieldTest } from "./expression.ts";
import { CLASSES } from "./image_layout.ts";
import { classMaskOf } from "./log_source.ts";
import { requirementOf } from "./requirement.ts";
import { MARK_SEQUENCE_MAX } from "./role_marks.ts";
import type { RuleLogic } from "./rule.ts";
import { foldCase, type Pattern } from "./value.ts";

/** Most marks of opened files; with more every open of their kind is sent. */
export const OPEN_MARKS_MAX = 2048;
/** What marks and rules are for: every open, or those that may write (`enum immune_open_bit`). */
export const OPEN_BITS = { any: 1, write: 2 } as const;

/** What a mark's components must be. `last`: the last one of a `path` or `tail` that has more. */
export type OpenMarkType = "path" | "directory" | "tail" | "part" | "extension" | "last";

/** Components of an opened file's path. */
export interface OpenMark {
  readonly type: OpenMarkType;
  /** ASCII letters in lower case. */
  readonly components: readonly string[];
  /** A slash must stand after the last one. */
  readonly slashAfter: boolean;
  /** Bits of {@linkcode OPEN_BITS}. */
  readonly bits: number;
}

/** Which opens are sent: of every kind those in `every`, and those with a mark of their kind. */
export interface OpenFilter {
  readonly marks: readonly OpenMark[];
  /** Bits: opens that are sent whatever their path. */
  readonly every: number;
  /** Bits: opens whose whole path decides; that of the others is looked at when the name fits. */
  readonly deep: number;
}

type Found = Omit<OpenMark, "bits">;

const FILE_CLASSES = CLASSES.file_access | CLASSES.file_event;
const PATH_FIELDS: ReadonlySet<string> = new Set(["TargetFilename", "name"]);
/** How dear a mark is: what looks at the whole path costs more, what is met often most. */
const COSTS: Readonly<Record<OpenMarkType, number>> = {
  path: 1,
  tail: 1,
  last: 1,
  extension: 4,
  part: 16,
  directory: 32,
};

/**
 * Works out which opens the rules could need. It never leaves out one that a rule fires on.
 *
 * @param rules Rules in any order; those on other events count for nothing.
 * @returns The filter.
 */
export function openFilterOf(rules: readonly RuleLogic[]): OpenFilter {
  const marks = new Map<string, OpenMark>();
  let every = 0;
  for (const rule of rules) {
    const mask = classMaskOf(rule) & FILE_CLASSES;
    if (mask === 0) continue;
    const bits = (mask & CLASSES.file_access) !== 0 ? OPEN_BITS.any : OPEN_BITS.write;
    const found = marksOf(rule);
    if (found === undefined) every |= bits;
    else for (const mark of found) addMark(marks, { ...mark, bits });
  }
  if (marks.size > OPEN_MARKS_MAX) {
    for (const { bits } of marks.values()) every |= bits;
    marks.clear();
  }
  const isDeep = ({ type }: OpenMark): boolean => type === "directory" || type === "part";
  const deep = [...marks.values()].filter(isDeep).reduce((sum, { bits }) => sum | bits, 0);
  return { marks: [...marks.values()], every, deep };
}

/**
 * Why a rule needs every open that it is for.
 *
 * @param rule A rule on opened files.
 * @returns True when no path of it can be told by a kernel.
 */
export function needsEveryOpen(rule: RuleLogic): boolean {
  return marksOf(rule) === undefined;
}

/** Marks of which a file has one whenever the rule fires; `undefined` when there are none such. */
function marksOf(rule: RuleLogic): readonly Found[] | undefined {
  const requirement = requirementOf(rule.expression, (test) => {
    const auditClass = auditClassOf(test);
    if (auditClass !== undefined) return (auditClass & FILE_CLASSES) === 0 ? 0 : Infinity;
    const mark = markOf(test);
    return mark === undefined ? Infinity : COSTS[mark.type];
  });
  return requirement?.tests
    .filter((test) => auditClassOf(test) === undefined)
    .flatMap((test) => withLast(markOf(test)));
}

/** A mark that is told by its end has a second one, for the last component alone. */
function withLast(mark: Found | undefined): readonly Found[] {
  if (mark === undefined) return [];
  if (mark.type !== "path" && mark.type !== "tail") return [mark];
  const components = mark.components.slice(-1);
  return [mark, { type: "last", components, slashAfter: false }];
}

function addMark(marks: Map<string, OpenMark>, mark: OpenMark): void {
  const key = JSON.stringify([mark.type, ...mark.components]);
  const known = marks.get(key);
  // Those with the same components are one, which asks for no more than either did.
  marks.set(key, {
    ...mark,
    slashAfter: mark.slashAfter && known?.slashAfter !== false,
    bits: mark.bits | (known?.bits ?? 0),
  });
}

/** A mark that every value which passes the test has; `undefined` when there is none. */
function markOf({ field, criterion }: FieldTest): Found | undefined {
  if (!PATH_FIELDS.has(field) || criterion.type !== "pattern") return undefined;
  const { pattern } = criterion;
  const [first] = pattern;
  const last = pattern.at(-1);
  if (pattern.length === 1 && typeof first === "string") return wholePath(first);
  return (typeof last === "string" ? ending(last) : undefined) ??
    inside(pattern) ??
    (typeof first === "string" ? beginning(first) : undefined);
}

function wholePath(text: string): Found | undefined {
  if (!text.startsWith("/")) return undefined;
  return found("path", text.slice(1).split("/"));
}

/** The whole components at the end; with none, what is from the last dot on. */
function ending(text: string): Found | undefined {
  const whole = text.split("/").slice(1);
  if (whole.length > 0 && whole.at(-1) !== "") {
    return found("tail", whole.slice(-MARK_SEQUENCE_MAX));
  }
  const dot = text.lastIndexOf(".");
  if (whole.length > 0 || dot === -1) return undefined;
  return found("extension", [text.slice(dot)]);
}

/** The longest run of whole components of a text that may be anywhere. */
function inside(pattern: Pattern): Found | undefined {
  let best: Found | undefined;
  for (const part of pattern) {
    if (typeof part !== "string") continue;
    const whole = part.split("/").slice(1, -1);
    if (whole.length === 0 || whole.every((name) => name === "")) continue;
    const components = whole.slice(0, MARK_SEQUENCE_MAX);
    if (best !== undefined && best.components.length > components.length) continue;
    best = { ...found("part", components), slashAfter: true };
  }
  return best;
}

/** The directory that a path which begins so is in or below. */
function beginning(text: string): Found | undefined {
  const directory = text.split("/").slice(1, -1);
  if (!text.startsWith("/") || directory.length === 0) return undefined;
  return found("directory", directory);
}

function found(type: OpenMarkType, components: readonly string[]): Found {
  return { type, components: components.map(foldCase), slashAfter: false };
}
