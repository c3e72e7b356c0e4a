/**
 * Saying no: enforcement policies, the tiers of this host, and the programs that hold them.
 *
 * @example Read a policy
 * ```ts
 * import { parseEnforcement } from "./mod.ts";
 *
 * const { entries } = parseEnforcement(
 *   '[[entry]]\nname = "no miners"\naction = "exec"\npaths = ["/tmp/**"]\n',
 *   { file: "enforcement.toml", homes: [] },
 * );
 * console.assert(entries[0]?.mode === "monitor");
 * ```
 *
 * @module
 */
export * from "./enforcer.ts";
export * from "./parse.ts";
export * from "./policy.ts";
export * from "./protected.ts";
export * from "./resolve.ts";
export * from "./tables.ts";
export * from "./tiers.ts";
export * from "./trial.ts";
export * from "./weakness.ts";
