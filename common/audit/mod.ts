/**
 * A hash-chained log of decisions: who decided what, of what, and when. Durable, bounded, and
 * checkable without the program that wrote it.
 *
 * @example Record, and check
 * ```ts
 * import { AuditLog, verifyAudit } from "./mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   using audit = AuditLog.open(`${folder}/audit`);
 *   await audit.append({
 *     actor: { kind: "person", id: "ada" },
 *     action: "agent.revoke",
 *     object: "11111111-2222-4333-8444-555555555555",
 *     decision: "allowed",
 *     detail: { reason: "stolen laptop" },
 *   });
 * }
 * const { entries, broken } = verifyAudit(`${folder}/audit`);
 * console.assert(entries === 1 && broken === undefined);
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */
export * from "./entry.ts";
export { headText, parseHead } from "./head.ts";
export * from "./log.ts";
export * from "./read.ts";
export * from "./verify.ts";
