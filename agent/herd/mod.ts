/**
 * How a host takes the herd's antibodies (`specs/herd.md`): the sets that it is to have, its own
 * lint of them, and what finds them.
 *
 * @example Where sets lie
 * ```ts
 * import { SetFolder } from "./mod.ts";
 *
 * const agent = await Deno.makeTempDir();
 * const sets = new SetFolder(agent);
 * sets.add("a".repeat(64), new Uint8Array([1]));
 * sets.keepOnly(new Set());
 * console.assert(sets.read("a".repeat(64)) === undefined && sets.isUsed && !sets.hasRules);
 * await Deno.remove(agent, { recursive: true });
 * ```
 *
 * @module
 */
// What takes them (take.ts) stays in its file: it brings the rule language along.
export * from "./herd_in_force.ts";
export * from "./messages.ts";
export * from "./set_folder.ts";
