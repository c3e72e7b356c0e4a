import * as z from "zod";
import { ImmuneError } from "../config/errors.ts";

/** A catalogue of what attackers do. */
export type Framework = "attack" | "atlas";

/** A technique as a rule's tag names it. */
export interface Technique {
  readonly framework: Framework;
  /** In the numbering of the table's version, such as `T1059.004` or `AML.T0055`. */
  readonly id: string;
  /** Empty for one that the table does not name. */
  readonly name: string;
}

/** Names that one framework gives, and older ids of what it has renumbered. */
export interface FrameworkTable {
  readonly name: string;
  readonly version: string;
  /** Tactics that a host's events can show, in the order of an attack. */
  readonly tactics: readonly string[];
  /** Tactics that happen elsewhere. */
  readonly otherTactics: readonly string[];
  /** Present id (or tactic) by older one. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Name by id; those that our rules have. */
  readonly techniques: Readonly<Record<string, string>>;
}

/** Both frameworks. */
export type TechniqueTable = Readonly<Record<Framework, FrameworkTable>>;

const NAMES = z.record(z.string(), z.string().min(1));
const FRAMEWORK = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  tactics: z.array(z.string().min(1)).min(1),
  other_tactics: z.array(z.string().min(1)),
  aliases: NAMES,
  techniques: NAMES,
}).transform(({ other_tactics, ...rest }): FrameworkTable => ({
  ...rest,
  otherTactics: other_tactics,
}));
const TABLE = z.strictObject({ attack: FRAMEWORK, atlas: FRAMEWORK });
const TECHNIQUE_TAG = /^(?:attack\.(t\d{4}(?:\.\d{3})?)|atlas\.(aml\.t\d{4}(?:\.\d{3})?))$/i;
const TACTIC_TAG = /^(attack|atlas)\.([a-z]+(?:-[a-z]+)*)$/i;

/**
 * Reads a table of techniques (`rules/techniques.json`).
 *
 * @param text JSON.
 * @returns The table.
 * @throws {ImmuneError} `INPUT_MALFORMED`.
 */
export function parseTechniques(text: string): TechniqueTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ImmuneError("INPUT_MALFORMED", "Cannot read techniques: it is no JSON", { cause });
  }
  const parsed = TABLE.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}`;
  throw new ImmuneError("INPUT_MALFORMED", `Cannot read techniques: ${what}`);
}

/**
 * The technique that a tag of a rule names, in the table's numbering.
 *
 * @param tag Tag of a rule, such as `attack.t1562.001`; case does not count.
 * @param table Names and renumbered ids.
 * @returns The technique, or `undefined` for any other tag.
 */
export function techniqueOf(tag: string, table: TechniqueTable): Technique | undefined {
  const [, attack, atlas] = TECHNIQUE_TAG.exec(tag) ?? [];
  const framework: Framework = attack === undefined ? "atlas" : "attack";
  const given = (attack ?? atlas)?.toUpperCase();
  if (given === undefined) return undefined;
  const { techniques } = table[framework];
  const id = present(given, table[framework]);
  return { framework, id, name: own(techniques, id) ?? "" };
}

/**
 * The tactic that a tag of a rule names.
 *
 * @param tag Tag of a rule, such as `attack.execution`; underscores count as hyphens.
 * @param table Names and renamed tactics.
 * @returns Framework and tactic, or `undefined` for a tag that is no tactic of the table.
 */
export function tacticOf(
  tag: string,
  table: TechniqueTable,
): { readonly framework: Framework; readonly tactic: string } | undefined {
  const [, space, given] = TACTIC_TAG.exec(tag.toLowerCase().replaceAll("_", "-")) ?? [];
  if (space !== "attack" && space !== "atlas" || given === undefined) return undefined;
  const tactic = present(given, table[space]);
  const { tactics, otherTactics } = table[space];
  const known = tactics.includes(tactic) || otherTactics.includes(tactic);
  return known ? { framework: space, tactic } : undefined;
}

function present(given: string, { aliases }: FrameworkTable): string {
  return own(aliases, given) ?? given;
}

function own(names: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(names, key) ? names[key] : undefined;
}
