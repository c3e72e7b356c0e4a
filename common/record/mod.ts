/**
 * The record: one event as the kernel fills it, the journal keeps it and the wire carries it.
 *
 * @example
 * ```ts
 * import { commandLine, decodeRecord, encodeRecord } from "./mod.ts";
 *
 * const bytes = encodeRecord("exec", {
 *   header: { pid: 42, start_time_ns: 7_000_000n },
 *   slots: { image: "/usr/bin/id", argv: "id\0-u\0" },
 * });
 * const record = decodeRecord(bytes);
 * console.log(record.pid, commandLine(record.slot("exec", "argv")!)); // 42 id -u
 * ```
 *
 * @module
 */
export * from "./decode.ts";
export * from "./ecs.ts";
export * from "./ecs_text.ts";
export { isLogKind, LOG_KINDS, type LogKind } from "./ecs_log.ts";
export * from "./encode.ts";
export * from "./layout.ts";
export * from "./process_key.ts";
export * from "./table.ts";
export * from "./values.ts";
export * from "./text.ts";
