import { syncFolder } from "../config/durable_file.ts";
import { segmentPath } from "./segments.ts";

/** Appends lines to one segment: all of a group is on the disk, or none of it counts. */
export class SegmentWriter implements Disposable {
  readonly #file: Deno.FsFile;
  /** Bytes that count. */
  #bytes: number;
  /** True when bytes may lie behind those that count. */
  #dirty: boolean;

  /**
   * @param path Path of the segment.
   * @param bytes Bytes of its whole lines; what lies behind them is cut off.
   */
  constructor(path: string, bytes: number) {
    this.#file = Deno.openSync(path, { write: true, create: true, mode: 0o600 });
    this.#bytes = bytes;
    this.#dirty = true;
    this.#cut();
  }

  /**
   * Makes a new segment; its name is on the disk afterwards.
   *
   * @param folder The log's folder.
   * @param first Sequence of its first entry.
   */
  static create(folder: string, first: number): SegmentWriter {
    const writer = new SegmentWriter(segmentPath(folder, first), 0);
    syncFolder(folder);
    return writer;
  }

  /** Bytes of the lines that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends a group of lines and waits for the disk.
   *
   * @param lines Without their ends.
   * @throws What the disk answered; none of them counts then.
   */
  write(lines: readonly string[]): void {
    this.#cut();
    this.#dirty = true;
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
    try {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
      this.#file.syncDataSync();
    } catch (error) {
      this.#tryCut();
      throw error;
    }
    this.#bytes += bytes.length;
    this.#dirty = false;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #cut(): void {
    if (!this.#dirty) return;
    this.#file.truncateSync(this.#bytes);
    this.#file.seekSync(this.#bytes, Deno.SeekMode.Start);
    this.#dirty = false;
  }

  #tryCut(): void {
    try {
      this.#cut();
    } catch {
      // Tried again before the next group.
    }
  }
}
