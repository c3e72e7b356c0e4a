/**
 * The engine: the only door to the WASM module that follows processes and runs the rules.
 *
 * @example
 * ```ts
 * import { encodeRecord } from "../../common/record/mod.ts";
 * import { Engine } from "./mod.ts";
 *
 * const engine = await Engine.create();
 * const record = encodeRecord("exec", {
 *   header: { pid: 42, start_time_ns: 7n },
 *   slots: { image: "/usr/bin/curl", argv: "curl\0--token\0abc\0" },
 * });
 * engine.batch.set(record);
 * console.log(engine.scan(record.length).length); // 0 hits: no rules yet
 * console.log(engine.mask(record.length)); // 1 record had a secret
 * console.log(engine.process(42, 7n)?.ended); // false
 * ```
 *
 * @module
 */
export * from "./bloom.ts";
export * from "./bloom_size.ts";
export type { BloomStats } from "./bloom_stats.ts";
export { PROCESSES_MAX, TEXT_BYTES_MAX } from "./core.ts";
export * from "./engine.ts";
export * from "./flat.ts";
export type { Hit } from "./hit.ts";
export * from "./listed.ts";
export * from "./literals.ts";
export * from "./murmur3.ts";
export type { ProcessRow } from "./process_row.ts";
export type { Program } from "./program.ts";
export type { Staging } from "./staging.ts";
export * from "./stats.ts";
export * from "./tuned_bloom.ts";
