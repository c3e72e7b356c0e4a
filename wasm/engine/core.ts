import engineBytes from "../../out/engine.wasm" with { type: "bytes" };
import { ImmuneError } from "../../common/config/errors.ts";
import { BLOOM_BYTES_MAX, BLOOM_ROOM_BYTES_MAX } from "./bloom_size.ts";

/** What the module exports; specs/hot_path.md has the contract of each. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  start(processes: number, bloomBytes: number): number;
  region(id: number): number;
  region_bytes(id: number): number;
  stage(which: number, length: number): number;
  stage_some(rows: number): number;
  publish(): number;
  publish_row(): number;
  scan(offset: number, length: number): number;
  hits(): number;
  mask(offset: number, length: number): number;
  mask_text(pointer: number, length: number): number;
  labels(): number;
  forget_labels(): void;
  process_find(pid: number, startPointer: number): number;
  process_first(): number;
  process_next(pointer: number): number;
  stats_count(): number;
  murmur3_x86_32(pointer: number, length: number, seed: number): number;
  murmur3_x64_128(pointer: number, length: number, seed: number, out: number): void;
  bloom_configure(bytes: number, places: number, inBlocks: number): number;
  bloom_add(pointer: number, length: number): void;
  bloom_has(pointer: number, length: number): number;
  listed_ask(what: number, ipv4: number, a: number, b: number, c: number, d: number): void;
  container_find(pointer: number): number;
  literals_run(field: number, pointer: number, length: number): number;
  literals_found(index: number): number;
  glob_match(
    pattern: number,
    patternLength: number,
    text: number,
    textLength: number,
    cased: number,
  ): number;
  in_network(network: number, text: number, length: number): number;
  parse_number_at(text: number, length: number, into: number): number;
  time_part(text: number, length: number, part: number): number;
  regex_check(program: number, length: number): number;
  regex_run(program: number, text: number, length: number): number;
  set_budget(steps: number): void;
  steps_taken(): number;
  unfinished_count(): number;
  unfinished_atom(index: number): number;
  forget_unfinished(): void;
  write_decimal(value: bigint): number;
  write_hex64(value: bigint): number;
  write_ipv4(pointer: number): number;
  write_ipv6(pointer: number): number;
}

const REGIONS = {
  batch: 0,
  hits: 1,
  imageA: 2,
  imageB: 3,
  bloom: 4,
  scratch: 5,
  stats: 6,
  labels: 7,
} as const;

/** Bytes at the start of SCRATCH that the module writes texts to. */
const SCRATCH_OWN_BYTES = 1024;
/** Longest text that can be handed to the module outside of a batch, in bytes. */
export const TEXT_BYTES_MAX = 63 * 1024;
/** Processes kept by default. */
const PROCESSES_DEFAULT = 16_384;
/** Most processes that can be kept. */
export const PROCESSES_MAX = 65_536;

const UTF8 = new TextEncoder();

/** How an engine is made. */
export interface CoreOptions {
  /** Processes that the table keeps, live and ended; 4 to 65,536, default 16,384. */
  readonly processes?: number;
  /** Bytes that the largest Bloom filter may have: 2 MiB, the default, to 128 MiB. */
  readonly bloomBytes?: number;
}

/** An instance of the module and the views over its memory, which does not grow any more. */
export class Core {
  /** The module's functions. */
  readonly exports: CoreExports;
  /** The whole memory. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** The same, for numbers. */
  readonly view: DataView<ArrayBuffer>;
  /** Records to scan. */
  readonly batch: Uint8Array<ArrayBuffer>;
  /** Hits of a scan. */
  readonly hits: DataView<ArrayBuffer>;
  /** Regions for rule images, A and B. */
  readonly images: readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  /** Bits of the Bloom filter. */
  readonly bloom: Uint8Array<ArrayBuffer>;
  /** Counters, in the order of `STAT_NAMES`. */
  readonly stats: Float64Array<ArrayBuffer>;
  /** Labels that the kernel is to be told. */
  readonly labels: Uint8Array<ArrayBuffer>;
  /** Where a text for the module goes; see {@linkcode Core.put}. */
  readonly text: number;
  /** The bytes there. */
  readonly #target: Uint8Array<ArrayBuffer>;

  private constructor(exports: CoreExports) {
    this.exports = exports;
    const buffer = exports.memory.buffer as ArrayBuffer;
    const region = (id: number): Uint8Array<ArrayBuffer> =>
      new Uint8Array(buffer, exports.region(id), exports.region_bytes(id));
    this.memory = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.batch = region(REGIONS.batch);
    const hits = region(REGIONS.hits);
    this.hits = new DataView(buffer, hits.byteOffset, hits.byteLength);
    this.images = [region(REGIONS.imageA), region(REGIONS.imageB)];
    this.bloom = region(REGIONS.bloom);
    this.stats = new Float64Array(buffer, exports.region(REGIONS.stats), exports.stats_count());
    this.labels = region(REGIONS.labels);
    this.text = exports.region(REGIONS.scratch) + SCRATCH_OWN_BYTES;
    this.#target = this.memory.subarray(this.text, this.text + TEXT_BYTES_MAX);
  }

  /**
   * Makes an instance of its own.
   *
   * @param options Sizes of the process table and of the Bloom filter.
   * @returns The instance, started.
   * @throws {RangeError} when an option is out of range.
   * @throws {ImmuneError} `INTERNAL` when the module does not start.
   */
  static async create(options: CoreOptions = {}): Promise<Core> {
    const processes = options.processes ?? PROCESSES_DEFAULT;
    if (!Number.isInteger(processes) || processes < 4 || processes > PROCESSES_MAX) {
      throw new RangeError(`Cannot keep "${processes}" processes: give 4 to ${PROCESSES_MAX}`);
    }
    const bloomBytes = options.bloomBytes ?? BLOOM_BYTES_MAX;
    if (!(bloomBytes >= BLOOM_BYTES_MAX && bloomBytes <= BLOOM_ROOM_BYTES_MAX)) {
      throw new RangeError(
        `Cannot make room for a filter of "${bloomBytes}" bytes: give ${BLOOM_BYTES_MAX} to ` +
          `${BLOOM_ROOM_BYTES_MAX}`,
      );
    }
    const { instance } = await WebAssembly.instantiate(new Uint8Array(engineBytes), {
      env: { abort: stop },
    });
    const exports = instance.exports as unknown as CoreExports;
    const started = exports.start(processes, bloomBytes);
    if (started !== 0) {
      throw new ImmuneError("INTERNAL", `Cannot start the engine: code "${started}", build again`);
    }
    return new Core(exports);
  }

  /**
   * Copies a text into the module's memory, at {@linkcode Core.text}.
   *
   * @param text Bytes, or a string that is written as UTF-8.
   * @returns Its bytes.
   * @throws {RangeError} when it is over {@linkcode TEXT_BYTES_MAX}.
   */
  put(text: Uint8Array | string): number {
    if (typeof text === "string") {
      const { read, written } = UTF8.encodeInto(text, this.#target);
      if (read < text.length) throw tooLong(text.length);
      return written;
    }
    if (text.length > TEXT_BYTES_MAX) throw tooLong(text.length);
    this.memory.set(text, this.text);
    return text.length;
  }
}

function tooLong(length: number): RangeError {
  return new RangeError(`Cannot hand over a text of "${length}": at most ${TEXT_BYTES_MAX} bytes`);
}

function stop(): never {
  throw new ImmuneError("INTERNAL", "Cannot go on: the engine aborted, report this defect");
}
