import { ANY, type Pattern, pattern } from "./value.ts";

/** What a modifier does to a test. */
export type ModifierEffect =
  | {
    /** It rewrites each value. */
    readonly kind: "value";
    readonly apply: (value: Pattern) => Pattern;
  }
  | {
    /** It joins the list's values by `and`. */
    readonly kind: "all";
  };

/** Modifiers of this version. A new one is a row here. */
const MODIFIERS: ReadonlyMap<string, ModifierEffect> = new Map<string, ModifierEffect>([
  ["contains", { kind: "value", apply: (value) => pattern([ANY, ...value, ANY]) }],
  ["startswith", { kind: "value", apply: (value) => pattern([...value, ANY]) }],
  ["endswith", { kind: "value", apply: (value) => pattern([ANY, ...value]) }],
  ["all", { kind: "all" }],
]);

/** Modifiers that Sigma 2.1 has beyond those of this version. */
const MODIFIERS_UNSUPPORTED: ReadonlySet<string> = new Set([
  ..."base64 base64offset utf16 utf16le utf16be wide windash re i m s cidr cased exists".split(" "),
  ..."expand fieldref gt gte lt lte neq minute hour day week month year".split(" "),
]);

/**
 * Looks up a modifier.
 *
 * @param name As after the `|` of a field.
 * @returns What it does; `unsupported` for one that Sigma has and this version lacks; `unknown` for
 * any other.
 */
export function modifier(name: string): ModifierEffect | "unsupported" | "unknown" {
  return MODIFIERS.get(name) ?? (MODIFIERS_UNSUPPORTED.has(name) ? "unsupported" : "unknown");
}

/** Names of the modifiers of this version. */
export const MODIFIER_NAMES: readonly string[] = [...MODIFIERS.keys()];
