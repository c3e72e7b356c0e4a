/**
 * The batch: what the journal keeps and the wire carries, and why records are missing.
 *
 * @example A batch there and back
 * ```ts
 * import { decodeBatch, encodeBatch } from "./mod.ts";
 * import { HEADER_BYTES } from "../record/layout.ts";
 *
 * const record = new Uint8Array(HEADER_BYTES);
 * record[0] = HEADER_BYTES; // its own length
 * const batch = encodeBatch({
 *   first: 1,
 *   recordCount: 1,
 *   losses: [],
 *   journalId: "00".repeat(16),
 *   bootId: "00".repeat(16),
 *   hostId: "00".repeat(32),
 *   epoch: 1,
 *   wallOffsetNs: 0n,
 * }, record);
 * if (decodeBatch(batch).info.recordCount !== 1) throw new Error("not the same");
 * ```
 *
 * @module
 */
// The schema itself stays in alert.ts: the pipeline makes alerts and needs no validator.
export type {
  Alert,
  AlertCorrelation,
  AlertCorrelationMember,
  AlertEnrichment,
  AlertThreat,
} from "./alert.ts";
export * from "./correlation.ts";
export * from "./batch.ts";
export * from "./decode.ts";
export * from "./directive.ts";
export * from "./directive_body.ts";
export * from "./directive_result.ts";
export * from "./encode.ts";
export * from "./frame.ts";
export * from "./health.ts";
export * from "./loss.ts";
export * from "./pack.ts";
export * from "./place.ts";
export { countRecords } from "./records.ts";
export * from "./tally.ts";
export * from "./tier_tally.ts";
