import { Core, type CoreOptions } from "./core.ts";
import { type Hit, readHit } from "./hit.ts";
import { imageError } from "./image_error.ts";
import { type ProcessRow, readProcessRow } from "./process_row.ts";
import { type Program, readProgram } from "./program.ts";
import { type ImageRegion, Staging } from "./staging.ts";
import { type EngineStats, STAT_NAMES, type StatName } from "./stats.ts";
import { rulesOfAtoms } from "./unfinished.ts";

/** Hits that one scan gives back; the others are counted as `hits_dropped`. */
export const HITS_PER_SCAN_MAX = 65_536;

/** Bytes of one label that the kernel is to be told. */
const LABEL_BYTES = 32;

/** Places of the counters of the module. */
const PLACES = Object.fromEntries(
  STAT_NAMES.map((name, i) => [name, i]),
) as Readonly<Record<(typeof STAT_NAMES)[number], number>>;

const NO_HITS: readonly Hit[] = Object.freeze([]);
const NO_LABELS = new Uint8Array();
const NO_RULES: readonly number[] = Object.freeze([]);
/** Code of the module: the check of the image did not come to a good end. */
const ERROR_UNCHECKED = -14;

/** How a program is read. */
export interface ProgramOptions {
  /** Overwrite key-like values in its arguments; default true. */
  readonly mask?: boolean;
}

/** The engine: records in `batch`, hits out. Not for use by two threads. */
export class Engine {
  /** The module underneath, for the other faces of this room. */
  readonly core: Core;
  #active: ImageRegion = 1;
  #generation = 0;
  #staging: Staging | undefined;
  #hitsDropped = 0;

  private constructor(core: Core) {
    this.core = core;
  }

  /**
   * Makes an engine with a memory of its own, without rules.
   *
   * @param options Size of the process table.
   * @returns The engine.
   * @throws {RangeError} when an option is out of range.
   */
  static async create(options: CoreOptions = {}): Promise<Engine> {
    return new Engine(await Core.create(options));
  }

  /** Counts the images published; a hit has that of the image that it was found under. */
  get generation(): number {
    return this.#generation;
  }

  /** Where records go before a scan: 1 MiB + 24 KiB of the module's memory, always the same. */
  get batch(): Uint8Array<ArrayBuffer> {
    return this.core.batch;
  }

  /**
   * Checks a rule image in full and makes it the active one. One that fails changes nothing.
   *
   * @param image Bytes of the image; they are copied.
   * @throws {ImmuneError} `IMAGE_INVALID` with the check that failed.
   */
  publish(image: Uint8Array): void {
    const staging = this.stage(image);
    while (!staging.step());
    this.publishStaged(staging);
  }

  /**
   * Takes an image into the region that is not active. Nothing changes until it is published.
   *
   * @param image Bytes of the image; they may not change until it is ready.
   * @returns What to step until it is ready. It takes the place of one that was staged before.
   * @throws {ImmuneError} `IMAGE_INVALID` when it is too long.
   */
  stage(image: Uint8Array): Staging {
    this.#staging = new Staging(this.core, image, this.#active === 0 ? 1 : 0);
    return this.#staging;
  }

  /**
   * Makes a staged image the active one, by one store: the next scan runs under it.
   *
   * @param staging The last one staged, ready.
   * @throws {ImmuneError} `IMAGE_INVALID` when it is another, or not ready.
   */
  publishStaged(staging: Staging): void {
    const code = staging === this.#staging ? this.core.exports.publish() : ERROR_UNCHECKED;
    if (code !== 0) throw imageError(code, 0);
    this.#staging = undefined;
    this.#active = staging.region;
    this.#generation++;
  }

  /**
   * Scans the records in `batch`: feeds the process table, runs the rules.
   *
   * @param length Bytes of records, from the start of `batch`.
   * @returns Hits in the order of the records; the same empty array when there are none.
   * @throws {RangeError} when `length` is over the batch.
   */
  scan(length: number): readonly Hit[] {
    if (length > this.batch.length) {
      throw new RangeError(`Cannot scan "${length}" bytes: the batch has ${this.batch.length}`);
    }
    const { exports } = this.core;
    let hits: Hit[] | undefined;
    let offset = exports.scan(0, length);
    while (true) {
      const count = exports.hits();
      if (count > 0) this.#take(hits ??= [], count);
      if (offset >= length) return hits ?? NO_HITS;
      offset = exports.scan(offset, length);
    }
  }

  #take(hits: Hit[], count: number): void {
    const taken = Math.min(count, HITS_PER_SCAN_MAX - hits.length);
    for (let i = 0; i < taken; i++) hits.push(readHit(this.core.hits, i));
    this.#hitsDropped += count - taken;
  }

  /**
   * Overwrites key-like values in the arguments of the records in `batch` and flags those records.
   * To be called after `scan`, so that rules see what was there.
   *
   * @param length Bytes of records, from the start of `batch`.
   * @returns How many records were changed.
   */
  mask(length: number): number {
    return this.core.exports.mask(0, length);
  }

  /**
   * Overwrites key-like values in a text, in place.
   *
   * @param text Bytes, at most 63 KiB.
   * @returns How many bytes were overwritten.
   * @throws {RangeError} when the text is longer.
   */
  maskText(text: Uint8Array): number {
    const { core } = this;
    const length = core.put(text);
    const changed = core.exports.mask_text(core.text, length);
    if (changed > 0) text.set(core.memory.subarray(core.text, core.text + length));
    return changed;
  }

  /**
   * Looks a process up by its key.
   *
   * @param pid Process id.
   * @param startNs Start time in nanoseconds since boot; 0 finds the live process of that pid.
   * @returns Its row, or `undefined` when the table does not have it.
   */
  process(pid: number, startNs: bigint): ProcessRow | undefined {
    const { core } = this;
    core.view.setBigUint64(core.text, startNs, true);
    return this.processAt(core.exports.process_find(pid, core.text));
  }

  /**
   * The container that a cgroup belongs to.
   *
   * @param cgroupId Id of the cgroup.
   * @returns Its id, or `undefined` when none is known.
   */
  container(cgroupId: bigint): string | undefined {
    const { core } = this;
    core.view.setBigUint64(core.text, cgroupId, true);
    const length = core.exports.container_find(core.text);
    if (length === 0) return undefined;
    const at = core.view.getUint32(core.text + 8, true);
    return new TextDecoder().decode(core.memory.subarray(at, at + length));
  }

  /**
   * All live processes, the least lately seen first. Not to be mixed with scans.
   *
   * @returns Their rows.
   */
  *processes(): Generator<ProcessRow> {
    const { exports } = this.core;
    for (let at = exports.process_first(); at !== 0; at = exports.process_next(at)) {
      const row = this.processAt(at);
      if (row !== undefined) yield row;
    }
  }

  /**
   * Reads the row that a hit names.
   *
   * @param pointer `process` or `parent` of a hit of the last scan.
   * @returns The row, or `undefined` for 0. A full table may have given the row to another process
   * since: compare `pid` and `startNs` with the record's.
   */
  processAt(pointer: number): ProcessRow | undefined {
    return readProcessRow(this.core.view, pointer);
  }

  /**
   * Copies the program that a hit or a row names.
   *
   * @param pointer `program` or `parentProgram`, read since the last scan.
   * @param options Whether to mask its arguments.
   * @returns The program, or `undefined` for 0.
   */
  program(pointer: number, options: ProgramOptions = {}): Program | undefined {
    const program = readProgram(this.core.view, pointer);
    if (program?.argv !== undefined && options.mask !== false) this.maskText(program.argv);
    return program;
  }

  /**
   * Labels that records showed the kernel not to have, since the last call: rows of
   * `struct immune_label` (u64 start time, u64 session, u64 time of the record, u32 pid, u32 role).
   *
   * @returns Bytes in the module's memory, to be used before the next scan; empty when there are none.
   */
  takeLabels(): Uint8Array<ArrayBuffer> {
    const { exports, labels } = this.core;
    const count = exports.labels();
    if (count === 0) return NO_LABELS;
    exports.forget_labels();
    return labels.subarray(0, count * LABEL_BYTES);
  }

  /**
   * Names the rules whose tests a record's budget of steps cut short since the last call, of the
   * active image. Such a test counts as not fulfilled; `tests_unfinished` counts each.
   *
   * @returns Indexes of the rules, ascending; of more than 64 distinct tests, those of 64.
   */
  takeUnfinished(): readonly number[] {
    const { exports } = this.core;
    const count = exports.unfinished_count();
    if (count === 0) return NO_RULES;
    const atoms = new Set(Array.from({ length: count }, (_, i) => exports.unfinished_atom(i)));
    exports.forget_unfinished();
    const region = this.core.images[this.#active];
    return rulesOfAtoms(new DataView(region.buffer, region.byteOffset, region.length), atoms);
  }

  /**
   * Reads one counter, as is done around each batch.
   *
   * @param name Which.
   * @returns Its value since the engine was made.
   */
  counter(name: StatName): number {
    return name === "hits_dropped" ? this.#hitsDropped : this.core.stats[PLACES[name]] ?? 0;
  }

  /**
   * Reads all counters.
   *
   * @returns Counters by name, since the engine was made.
   */
  stats(): EngineStats {
    const entries = STAT_NAMES.map((name, i): [string, number] => [name, this.core.stats[i] ?? 0]);
    return {
      ...Object.fromEntries(entries),
      hits_dropped: this.#hitsDropped,
    } as unknown as EngineStats;
  }
}
