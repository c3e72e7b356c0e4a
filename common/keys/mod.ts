/**
 * Keys that sign orders: Ed25519 by purpose, and the stop key that exists only as shares.
 *
 * @example A stop key among five, of whom three are needed
 * ```ts
 * import { makeStopKey, withStopKey } from "./mod.ts";
 *
 * const { facts, shares } = await makeStopKey();
 * const signature = await withStopKey(facts, {
 *   shares: shares.slice(0, 3),
 *   use: (key) => key.sign("stop", new Uint8Array([1])),
 * });
 * console.assert(signature.length === 64);
 * ```
 *
 * @module
 */
export * from "./ed25519.ts";
export * from "./proof_of_work.ts";
export * from "./shamir.ts";
export * from "./share.ts";
export * from "./stop_key.ts";
export * from "./succession.ts";
