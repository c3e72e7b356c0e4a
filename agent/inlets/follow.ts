import { createHash } from "node:crypto";
import { LineBuffer } from "./line_buffer.ts";
import { idAt, idOf, nextLog, renamedLogs } from "./renamed.ts";

/** Bytes that are read at once. */
const CHUNK_BYTES = 64 * 1024;
/** Bytes at the start of a file by which it is known again. */
const HEAD_BYTES = 256;
/** So far behind the end a file is followed; what lies before is skipped and counted, in bytes. */
export const BEHIND_BYTES_MAX = 64 * 1024 * 1024;

/** How far a file was read. */
export interface FilePosition {
  /** Device and inode, as `8:1234`. */
  readonly file: string;
  /** Bytes up to the end of the last whole line. */
  readonly offset: number;
  /** SHA-256 of the first bytes that had been read, and how many they are. */
  readonly head: string;
  readonly headBytes: number;
}

/** What was not read, by cause. */
export interface FollowLosses {
  /** Files that were replaced, cut or packed while nobody looked: what was in them is not known. */
  gaps: number;
  /** Bytes that were skipped because more came than could be read. */
  skippedBytes: number;
}

/** Reads a log as it grows, also when it is renamed or cut. */
export class LogFile implements Disposable {
  readonly path: string;
  readonly losses: FollowLosses = { gaps: 0, skippedBytes: 0 };
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  readonly #lines = new LineBuffer();
  #file: Deno.FsFile | undefined;
  #id = "";
  /** Bytes read, those of a line that is not whole included. */
  #read = 0;
  #head = { hash: "", bytes: 0 };

  /**
   * Begins where the last run stopped; without a position, at the end of the file.
   *
   * @param path The log.
   * @param position Where the last run stopped.
   */
  constructor(path: string, position?: FilePosition) {
    this.path = path;
    if (position !== undefined) this.#resume(position);
    else if (this.#open(path)) this.#read = this.#startOfLastLine();
  }

  /** True while there is a file. */
  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** Lines that were too long. */
  get tooLong(): number {
    return this.#lines.tooLong;
  }

  /** Where the next run goes on; `undefined` where there never was a file. */
  get position(): FilePosition | undefined {
    if (this.#id === "") return undefined;
    const { hash: head, bytes: headBytes } = this.#head;
    return { file: this.#id, offset: this.#read - this.#lines.waiting, head, headBytes };
  }

  /**
   * Reads what came, one chunk at most.
   *
   * @returns Whole lines; `undefined` when nothing came.
   */
  poll(): readonly string[] | undefined {
    if (this.#file === undefined && !this.#open(this.path)) return undefined;
    const bytes = this.#readChunk();
    if (bytes > 0) return this.#lines.take(this.#chunk.subarray(0, bytes));
    if (!this.#isReplaced()) return undefined;
    // What was written between the last read and the renaming is in it still.
    const last = this.#readChunk();
    if (last > 0) return this.#lines.take(this.#chunk.subarray(0, last));
    this.#goOver();
    return undefined;
  }

  /** Lets go of the file. */
  [Symbol.dispose](): void {
    this.#close();
  }

  #resume(position: FilePosition): void {
    const { offset, head, headBytes } = position;
    for (const path of [this.path, ...renamedLogs(this.path).map((log) => log.path)]) {
      if (!this.#open(path)) continue;
      const { size } = this.#stat() ?? { size: 0 };
      if (size >= offset && this.#isAt(position)) {
        this.#read = offset;
        this.#head = { hash: head, bytes: headBytes };
        if (!this.#isLineStart(offset)) this.#lines.beginInside();
        return;
      }
      this.#close();
    }
    // Another file stands there, or it was cut: it is read from its start, what was lost is not known.
    this.losses.gaps++;
    this.#open(this.path);
  }

  /** By inode and first bytes: its device may have another number after a reboot. */
  #isAt({ file, offset, head, headBytes }: FilePosition): boolean {
    if (headBytes === 0 && offset > 0) return file === this.#id;
    return inodeOf(file) === inodeOf(this.#id) &&
      (headBytes === 0 || this.#hashOf(headBytes) === head);
  }

  /** Goes on to the file that was written next. */
  #goOver(): void {
    const id = this.#id;
    const writtenMs = this.#stat()?.mtime?.getTime() ?? 0;
    const next = nextLog(this.path, { id, writtenMs });
    if (next === undefined) return;
    if (this.#open(next.path, next.id)) {
      this.losses.gaps += next.missed;
      return;
    }
    // Renamed meanwhile: the next look sees where to.
    if (idAt(next.path) !== next.id) return;
    // It may not be read.
    this.losses.gaps += next.missed + 1;
    this.#close();
  }

  /** In place of the file that is open; where it cannot be, or has not the id, that one stays. */
  #open(path: string, id?: string): boolean {
    let file: Deno.FsFile | undefined;
    try {
      file = Deno.openSync(path, { read: true });
      const info = file.statSync();
      if (info.isFile && (id === undefined || idOf(info) === id)) {
        this.#close();
        this.#file = file;
        this.#id = idOf(info);
        this.#read = 0;
        this.#head = { hash: "", bytes: 0 };
        return true;
      }
    } catch {
      // As one that is no file.
    }
    file?.close();
    return false;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#lines.forget();
  }

  #stat(): Deno.FileInfo | undefined {
    try {
      return this.#file?.statSync();
    } catch {
      return undefined;
    }
  }

  #readChunk(): number {
    const info = this.#stat();
    if (this.#file === undefined || info === undefined) return 0;
    if (info.size < this.#read) {
      // Cut in place: what had come since the last look is gone.
      this.losses.gaps++;
      this.#lines.forget();
      this.#read = 0;
      this.#head = { hash: "", bytes: 0 };
    }
    const behind = info.size - this.#read;
    if (behind > BEHIND_BYTES_MAX) {
      const skipped = behind - BEHIND_BYTES_MAX / 2;
      this.losses.skippedBytes += skipped;
      this.#read += skipped;
      this.#lines.beginInside();
    }
    try {
      this.#file.seekSync(this.#read, Deno.SeekMode.Start);
      const bytes = this.#file.readSync(this.#chunk) ?? 0;
      if (this.#read === 0 && bytes > 0) this.#remember(this.#chunk.subarray(0, bytes));
      this.#read += bytes;
      return bytes;
    } catch {
      return 0;
    }
  }

  #remember(start: Uint8Array): void {
    const head = start.subarray(0, HEAD_BYTES);
    this.#head = { hash: head.length === 0 ? "" : sha256(head), bytes: head.length };
  }

  #hashOf(bytes: number): string {
    const head = new Uint8Array(Math.min(bytes, HEAD_BYTES));
    try {
      this.#file?.seekSync(0, Deno.SeekMode.Start);
      return sha256(head.subarray(0, this.#file?.readSync(head) ?? 0));
    } catch {
      return "";
    }
  }

  /** The last run may have ended where it had skipped into a line. */
  #isLineStart(offset: number): boolean {
    if (offset === 0) return true;
    const before = new Uint8Array(1);
    try {
      this.#file?.seekSync(offset - 1, Deno.SeekMode.Start);
      return this.#file?.readSync(before) === 1 && before[0] === 10;
    } catch {
      return false;
    }
  }

  /** A file that is begun at its end may have a line there that is not whole: it is read whole. */
  #startOfLastLine(): number {
    const size = this.#stat()?.size ?? 0;
    const start = Math.max(0, size - CHUNK_BYTES);
    try {
      this.#file?.seekSync(0, Deno.SeekMode.Start);
      this.#remember(this.#chunk.subarray(0, this.#file?.readSync(this.#chunk) ?? 0));
      this.#file?.seekSync(start, Deno.SeekMode.Start);
      const tail = this.#chunk.subarray(0, this.#file?.readSync(this.#chunk) ?? 0);
      return start + tail.lastIndexOf(10) + 1;
    } catch {
      return size;
    }
  }

  #isReplaced(): boolean {
    const id = idAt(this.path);
    // Renamed, and no new one yet: writers may still write to this one.
    return id !== undefined && id !== this.#id;
  }
}

function inodeOf(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
