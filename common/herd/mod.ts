/**
 * What hosts of a fleet share: antibodies, and the lint that each of them passes on the hive and
 * again on every agent.
 *
 * @example An entry that hosts need is refused
 * ```ts
 * import { antibodyId, lintAntibody, NO_OWN_THINGS } from "./mod.ts";
 *
 * const entry = { type: "path", value: "/usr/bin/ls" } as const;
 * const antibody = {
 *   ...entry,
 *   id: antibodyId(entry),
 *   action: "block",
 *   reason: "seen in an attack",
 *   evidence: ["0f".repeat(16)],
 *   madeMs: 1_000,
 *   expiresMs: 61_000,
 * };
 * const problem = lintAntibody(antibody, {
 *   nowMs: 1_000,
 *   own: NO_OWN_THINGS,
 *   rule: () => "no rules here",
 * });
 * console.assert(problem?.kind === "protected");
 * ```
 *
 * @module
 */
// The judge of rules (rule_lint.ts) and what finds antibodies (detect.ts) stay in their files: they
// bring the rule language and indicators along.
export * from "./antibody.ts";
export { credentialIn } from "./credential.ts";
export { lintAntibody, type LintOptions, type LintProblem } from "./lint.ts";
export * from "./set.ts";
export { NO_OWN_THINGS, type OwnThings } from "./protected.ts";
