/**
 * A crash-safe, bounded log of batches: the agent's outbox, and any queue that must outlive its
 * process.
 *
 * @example Append, and read back what is on the disk
 * ```ts
 * import { Journal } from "./mod.ts";
 * import { HEADER_BYTES } from "../record/layout.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const record = new Uint8Array(HEADER_BYTES);
 * record[0] = HEADER_BYTES; // its own length
 * {
 *   using journal = Journal.open(`${folder}/journal`);
 *   const appended = journal.append(record, {
 *     recordCount: 1,
 *     bootId: "00".repeat(16),
 *     hostId: "00".repeat(32),
 *     epoch: 1,
 *     wallOffsetNs: 0n,
 *   });
 *   if (!appended.written) throw appended.error;
 *   journal.flush();
 *   for (const batch of journal.read(appended.first)) console.assert(batch.info.recordCount === 1);
 *   journal.acknowledge(appended.last);
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */
export { Cursor, type CursorSource, type StoredBatch } from "./cursor.ts";
export { Journal } from "./journal.ts";
export * from "./options.ts";
export { JournalReader } from "./reader.ts";
export type { Recovery } from "./recover.ts";
