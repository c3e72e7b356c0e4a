/**
 * Regular expressions in RE2 syntax, for a matcher whose time grows with the text alone
 * (specs/regex.md).
 *
 * @example
 * ```ts
 * import { assessPattern, compileRegex, parseRegex, requiredLiterals } from "./mod.ts";
 *
 * const regex = parseRegex("cur(l|x) .*https?://");
 * if (requiredLiterals(regex)?.join() !== "curl ,curx ") throw new Error("not the longest");
 * if (compileRegex(regex).length === 0) throw new Error("no program");
 * if (assessPattern("(a+)+").verdict !== "DANGEROUS") throw new Error("not seen");
 * ```
 *
 * @module
 */
export type { RegexFlags, RegexNode } from "./ast.ts";
export { RegexError } from "./error.ts";
export { requiredLiterals } from "./literals.ts";
export { parseRegex } from "./parse.ts";
export { compileRegex } from "./program.ts";
export { assessPattern, type PatternSafety, type PatternVerdict } from "./safety.ts";
