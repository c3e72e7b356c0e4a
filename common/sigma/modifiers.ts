import type { Comparison, Likeness, TimePart } from "./criterion.ts";

/** What changes a text before it is looked for, in the order of the chain. */
export type TextStep =
  | "expand"
  | "windash"
  | "utf16"
  | "utf16le"
  | "utf16be"
  | "base64"
  | "base64offset";

/** What a field's value is tested for. */
export type ChainTest =
  | {
    readonly kind: "text";
    readonly steps: readonly TextStep[];
    readonly likeness: Likeness;
    readonly cased: boolean;
  }
  | {
    readonly kind: "regex";
    readonly likeness: Likeness;
    readonly expand: boolean;
    readonly ignoreCase: boolean;
    readonly multiline: boolean;
    readonly dotAll: boolean;
  }
  | { readonly kind: "cidr"; readonly expand: boolean }
  | {
    readonly kind: "number";
    readonly comparison: Comparison;
    readonly part: TimePart | undefined;
  }
  | { readonly kind: "fieldref"; readonly likeness: Likeness; readonly cased: boolean }
  | { readonly kind: "exists" };

type Kind = ChainTest["kind"];

/** A chain of modifiers, read. */
export interface Chain {
  readonly test: ChainTest;
  /** The values of a list are joined by `and`. */
  readonly all: boolean;
  /** The test is turned around. */
  readonly negated: boolean;
}

/** A chain that does not hold. */
export class ModifierError extends Error {
  override readonly name = "ModifierError";
}

interface Modifier {
  /** What it makes of the test; absent: it goes with tests that it is made for. */
  readonly kind?: Kind;
  /** Kinds of tests that it goes with. */
  readonly beside: readonly Kind[];
  readonly likeness?: Likeness;
  readonly step?: TextStep;
  readonly comparison?: Comparison;
  readonly part?: TimePart;
  readonly flag?: "ignoreCase" | "multiline" | "dotAll";
}

const LIKE: readonly Kind[] = ["text", "regex", "fieldref"];
const LISTS: readonly Kind[] = ["text", "regex", "cidr", "number", "fieldref"];
const step = (name: TextStep): Modifier => ({ beside: ["text"], step: name });
const compare = (comparison: Comparison): Modifier => ({ kind: "number", beside: [], comparison });
const part = (name: TimePart): Modifier => ({ kind: "number", beside: [], part: name });
const flag = (name: Modifier["flag"] & string): Modifier => ({ beside: ["regex"], flag: name });

/** Modifiers of Sigma 2.1. A new one is a row here. */
const MODIFIERS: ReadonlyMap<string, Modifier> = new Map<string, Modifier>([
  ["all", { beside: LISTS }],
  ["neq", { beside: LISTS }],
  ["contains", { beside: LIKE, likeness: "contains" }],
  ["startswith", { beside: LIKE, likeness: "startswith" }],
  ["endswith", { beside: LIKE, likeness: "endswith" }],
  ["cased", { beside: ["text", "fieldref"] }],
  ["expand", { beside: ["text", "regex", "cidr"], step: "expand" }],
  ["windash", step("windash")],
  ["utf16", step("utf16")],
  ["utf16le", step("utf16le")],
  ["wide", step("utf16le")],
  ["utf16be", step("utf16be")],
  ["base64", step("base64")],
  ["base64offset", step("base64offset")],
  ["re", { kind: "regex", beside: [] }],
  ["i", flag("ignoreCase")],
  ["m", flag("multiline")],
  ["s", flag("dotAll")],
  ["ignorecase", flag("ignoreCase")],
  ["multiline", flag("multiline")],
  ["dotall", flag("dotAll")],
  ["cidr", { kind: "cidr", beside: [] }],
  ["fieldref", { kind: "fieldref", beside: [] }],
  ["exists", { kind: "exists", beside: [] }],
  ["lt", compare("lt")],
  ["lte", compare("lte")],
  ["gt", compare("gt")],
  ["gte", compare("gte")],
  ["minute", part("minute")],
  ["hour", part("hour")],
  ["day", part("day")],
  ["week", part("week")],
  ["month", part("month")],
  ["year", part("year")],
]);

/** Names of all modifiers. */
export const MODIFIER_NAMES: readonly string[] = [...MODIFIERS.keys()];

/** Modifiers of the whole list, which may stand anywhere. */
const LIST_MODIFIERS: ReadonlySet<string> = new Set(["all", "neq"]);
const FIRST: ReadonlySet<Kind> = new Set<Kind>(["regex", "cidr", "fieldref", "exists"]);

interface Named extends Modifier {
  readonly name: string;
}

/**
 * Reads a chain of modifiers.
 *
 * @param names As they stand after the field's name.
 * @returns What they ask for together.
 * @throws {ModifierError} when one is unknown or does not go with the others.
 */
export function parseChain(names: readonly string[]): Chain {
  const chain = names.map(lookUp);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ModifierError(`Modifier "${twice}" stands twice`);
  const typed = chain.filter((modifier) => modifier.kind !== undefined);
  const [first, second] = typed;
  const kind = first?.kind ?? "text";
  const other = typed.find((modifier) => modifier.kind !== kind) ??
    (FIRST.has(kind) ? second : undefined);
  if (first !== undefined && other !== undefined) throw exclusive(first, other);
  for (const modifier of chain) refuseMisfit(modifier, kind, first);
  const lead = chain.find(({ name }) => !LIST_MODIFIERS.has(name));
  if (FIRST.has(kind) && first !== undefined && lead !== first) {
    throw new ModifierError(`Modifier "${first.name}" comes first; put "${lead?.name}" behind it`);
  }
  return {
    test: testOf(kind, chain),
    all: names.includes("all"),
    negated: names.includes("neq"),
  };
}

function lookUp(name: string): Named {
  const modifier = MODIFIERS.get(name);
  if (modifier !== undefined) return { name, ...modifier };
  throw new ModifierError(`Unknown modifier "${name}"; there are ${MODIFIER_NAMES.join(", ")}`);
}

function exclusive(a: Named, b: Named): ModifierError {
  return new ModifierError(`Modifiers "${a.name}" and "${b.name}" exclude each other`);
}

function refuseMisfit(modifier: Named, kind: Kind, typed: Named | undefined): void {
  if (modifier.kind !== undefined || modifier.beside.includes(kind)) return;
  const { name } = modifier;
  throw new ModifierError(
    typed === undefined
      ? `Modifier "${name}" needs "re" before it`
      : `Modifier "${name}" does not go with "${typed.name}"`,
  );
}

/** The only one of a chain that has something; two exclude each other. */
function only<T>(chain: readonly Named[], pick: (modifier: Named) => T | undefined): T | undefined {
  const [first, second] = chain.filter((modifier) => pick(modifier) !== undefined);
  if (first !== undefined && second !== undefined) throw exclusive(first, second);
  return first === undefined ? undefined : pick(first);
}

function testOf(kind: Kind, chain: readonly Named[]): ChainTest {
  const likeness = only(chain, (modifier) => modifier.likeness) ?? "equals";
  const cased = chain.some(({ name }) => name === "cased");
  const expand = chain.some(({ name }) => name === "expand");
  const has = (name: Modifier["flag"]) => chain.some((modifier) => modifier.flag === name);
  switch (kind) {
    case "text":
      return { kind, steps: stepsOf(chain), likeness, cased };
    case "regex":
      return {
        kind,
        likeness,
        expand,
        ignoreCase: has("ignoreCase"),
        multiline: has("multiline"),
        dotAll: has("dotAll"),
      };
    case "cidr":
      return { kind, expand };
    case "number":
      return {
        kind,
        comparison: only(chain, (modifier) => modifier.comparison) ?? "eq",
        part: only(chain, (modifier) => modifier.part),
      };
    case "fieldref":
      return { kind, likeness, cased };
    case "exists":
      return { kind };
  }
}

/** What stands behind an encoding, or behind the wildcards of a likeness, would not see the text. */
function stepsOf(chain: readonly Named[]): readonly TextStep[] {
  const steps: TextStep[] = [];
  let encoding: Named | undefined;
  let likeness: Named | undefined;
  for (const modifier of chain) {
    if (modifier.likeness !== undefined) likeness = modifier;
    if (modifier.step === undefined) continue;
    const encodes = modifier.step !== "expand" && modifier.step !== "windash";
    const before = encodes ? likeness : encoding;
    if (before !== undefined) {
      throw new ModifierError(`Modifier "${modifier.name}" must stand before "${before.name}"`);
    }
    if (encodes) encoding = modifier;
    steps.push(modifier.step);
  }
  return steps;
}
