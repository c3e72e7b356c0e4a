import { syncFolder } from "../config/durable_file.ts";
import { addSpan, type Segment, segmentName, type Span } from "./segment.ts";

/**
 * Appends to one segment. A batch is there whole or, as far as the disk allows, not at all.
 */
export class SegmentWriter {
  readonly segment: Segment;
  /** True when a write or sync failed such that the file's end cannot be trusted any more. */
  broken = false;
  readonly #file: Deno.FsFile;
  readonly #folder: string;
  #folderSynced = false;

  /**
   * @param folder The journal's folder.
   * @param segment An existing segment, whose file is cut to its whole batches.
   */
  constructor(folder: string, segment: Segment) {
    this.#folder = folder;
    this.segment = segment;
    this.#file = Deno.openSync(segment.path, { write: true, create: true, mode: 0o600 });
    this.#file.truncateSync(segment.bytes);
    this.#file.seekSync(segment.bytes, Deno.SeekMode.Start);
  }

  /**
   * Makes a new segment.
   *
   * @param folder The journal's folder.
   * @param first Its first position.
   * @returns The writer of an empty segment.
   */
  static create(folder: string, first: number): SegmentWriter {
    const path = `${folder}/${segmentName(first)}`;
    return new SegmentWriter(folder, { path, first, bytes: 0, spans: [] });
  }

  /**
   * Writes a batch at the end.
   *
   * @param bytes The batch.
   * @param span Its positions.
   * @throws What the disk answered; nothing half-written stays then.
   */
  write(bytes: Uint8Array, span: Span): void {
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    this.segment.bytes += bytes.length;
    addSpan(this.segment.spans, span);
  }

  /**
   * Takes back all that was written after a moment.
   *
   * @param bytes The segment's bytes at that moment.
   * @param spans Its spans at that moment.
   */
  rollBack(bytes: number, spans: readonly Span[]): void {
    this.segment.bytes = bytes;
    this.segment.spans.splice(0, Infinity, ...spans);
    try {
      this.#file.truncateSync(bytes);
      this.#file.seekSync(bytes, Deno.SeekMode.Start);
    } catch {
      this.broken = true;
    }
  }

  /** Makes what was written survive a power loss. */
  sync(): void {
    this.#file.syncDataSync();
    if (this.#folderSynced) return;
    syncFolder(this.#folder);
    this.#folderSynced = true;
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }
}
