import { crc32 } from "node:zlib";
import { replaceFile } from "../../common/config/durable_file.ts";
import {
  type Sighting,
  SIGHTING_KEY_BYTES,
  Sightings,
} from "../../common/sigma/correlation/mod.ts";

/** A sighting in the file: key, time in ms (f64), CRC-32 of both; little-endian. */
const TIME_AT = SIGHTING_KEY_BYTES;
const CRC_AT = TIME_AT + 8;
const ENTRY_BYTES = CRC_AT + 4;
/** The file is written anew when it holds so many entries more than groups are remembered. */
const STALE_ENTRIES_MAX = 65_536;

/** Remembers in a file when groups were last seen, so that a restart makes nothing new. */
export class SightingsFile implements Disposable {
  /** What is remembered. */
  readonly sightings: Sightings;
  readonly #path: string;
  readonly #onWarning: (message: string) => void;
  #file: Deno.FsFile;
  #entries = 0;
  #failing = false;

  /**
   * Reads a file, or makes it. Entries that are torn are left out.
   *
   * @param path Path of the file; this process alone uses it.
   * @param options `onWarning` is told when it cannot be written, and when it can again;
   * `sightings`: where its entries go. Default: new.
   * @throws {Deno.errors} when it cannot be read or written.
   */
  constructor(
    path: string,
    options: { readonly onWarning: (message: string) => void; readonly sightings?: Sightings },
  ) {
    this.sightings = options.sightings ?? new Sightings();
    this.#path = path;
    this.#onWarning = options.onWarning;
    for (const sighting of entriesOf(readBytes(path))) this.sightings.restore(sighting);
    this.#file = this.#rewrite();
  }

  /** Appends what is new. One write: it survives the end of this process, whatever ends it. */
  append(): void {
    const news = this.sightings.takeNews();
    if (news.length === 0) return;
    try {
      if (this.#entries - this.sightings.size > STALE_ENTRIES_MAX) {
        this.#file.close();
        this.#file = this.#rewrite();
      } else {
        writeAll(this.#file, bytesOf(news));
        this.#entries += news.length;
      }
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        const why = error instanceof Error ? error.message : String(error);
        this.#onWarning(
          `Cannot write "${this.#path}": ${why}; what is seen now is new again later`,
        );
      }
      this.#failing = true;
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.append();
    this.#file.close();
  }

  #rewrite(): Deno.FsFile {
    const all = [...this.sightings.all()];
    replaceFile(this.#path, bytesOf(all));
    this.#entries = all.length;
    return Deno.openSync(this.#path, { append: true });
  }
}

function bytesOf(sightings: readonly Sighting[]): Uint8Array {
  const bytes = new Uint8Array(sightings.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  sightings.forEach(({ key, timeMs }, i) => {
    const at = i * ENTRY_BYTES;
    bytes.set(Uint8Array.fromHex(key), at);
    view.setFloat64(at + TIME_AT, timeMs, true);
    view.setUint32(at + CRC_AT, crc32(bytes.subarray(at, at + CRC_AT)), true);
  });
  return bytes;
}

function* entriesOf(bytes: Uint8Array): Generator<Sighting> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    if (view.getUint32(at + CRC_AT, true) !== crc32(bytes.subarray(at, at + CRC_AT))) continue;
    const key = bytes.subarray(at, at + SIGHTING_KEY_BYTES).toHex();
    yield { key, timeMs: view.getFloat64(at + TIME_AT, true) };
  }
}

function readBytes(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
