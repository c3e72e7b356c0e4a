/**
 * Where a hive keeps everything: the `Store` interface, its SQLite implementation, and the Worker
 * that runs it.
 *
 * @example A store and its first token
 * ```ts
 * import { SqliteStore } from "./mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const store = new SqliteStore(`${folder}/store.db`);
 * await store.addToken({ secretHash: "00".repeat(32), expiresMs: Date.now() + 60_000 });
 * const use = { nowMs: Date.now(), hostId: "0d".repeat(32), hostName: "gpu-1" };
 * console.assert(await store.useToken("00".repeat(32), use) !== undefined);
 * console.assert(await store.useToken("00".repeat(32), use) === undefined);
 * await store.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */
export * from "./directive_store.ts";
export { STORE_WORKER } from "./messages.ts";
export { StoreWorker, type StoreWorkerOptions } from "./owner.ts";
export { RemoteStore } from "./remote.ts";
export { type SqliteOptions, SqliteStore } from "./sqlite.ts";
export * from "./store.ts";
