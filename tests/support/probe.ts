import { KernelSensor } from "../../agent/sensors/kernel.ts";
import type { KernelOptions } from "../../agent/sensors/options.ts";
import type { Policy } from "../../agent/sensors/policy.ts";
import type { StatsRow } from "../../agent/sensors/sensor.ts";
import { decodeRecords, RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import { SOURCES } from "../../common/record/values.ts";
import { canLoadSensor } from "./host.ts";

/** Longest wait for records that must come, in milliseconds. */
const DEADLINE_MS = 60_000;
const VIEW_BYTES = 1 << 20;
/** A read of that many milliseconds, twice in a row, that brings nothing: what was there has come. */
const SILENCE_MS = 20;
/** A host that is never silent is not listened to for longer, in milliseconds. */
const UNTIL_SILENT_MS_MAX = 1000;

const NOTHING: Policy = {
  kinds: [],
  wideOpen: false,
  identity: false,
  wakeIntervalUs: 0,
  watches: [],
};

/** A kernel sensor under test, which keeps what it gave. */
export class Probe implements Disposable {
  readonly sensor: KernelSensor;
  /** Copies of all records so far, in the order of delivery. */
  readonly records: RecordView[] = [];
  readonly #view = new Uint8Array(VIEW_BYTES);

  /**
   * @param policy What differs from a policy that wants nothing.
   * @param options As for a sensor.
   */
  constructor(policy: Partial<Policy>, options: KernelOptions = {}) {
    this.sensor = KernelSensor.open(options);
    this.set(policy);
  }

  /** Sets another policy; every watch must be accepted. */
  set(policy: Partial<Policy>): void {
    const refused = this.sensor.policy({ ...NOTHING, ...policy });
    if (refused > 0) throw new Error(`${refused} watches refused: ${this.sensor.problem()}`);
  }

  /** Reads until `enough`, or fails at the deadline. */
  until(enough: (records: readonly RecordView[]) => boolean): void {
    const end = Date.now() + DEADLINE_MS;
    while (!enough(this.records)) {
      if (Date.now() > end) throw new Error(`Not enough in ${this.records.length} records`);
      this.read(50);
    }
  }

  /** Reads once; how many bytes came. */
  read(timeoutMs: number): number {
    const length = this.sensor.poll(this.#view, timeoutMs);
    for (const record of decodeRecords(this.#view.slice(0, length))) this.records.push(record);
    return length;
  }

  /**
   * Reads what is there, also what a program that lost its CPU is still writing, and all that waits
   * behind it.
   */
  drain(): void {
    while (this.read(0) > 0);
    const end = Date.now() + UNTIL_SILENT_MS_MAX;
    for (let empty = 0; empty < 2 && Date.now() < end;) {
      empty = this.read(SILENCE_MS) > 0 ? 0 : empty + 1;
    }
  }

  /** Records of opens that a process made, or all. */
  opens(pid?: number): RecordView[] {
    return this.records.filter((record) =>
      record.kindId === KINDS.open.id && (pid === undefined || record.pid === pid)
    );
  }

  /** Counters of watched opens. */
  watchStats(): StatsRow {
    const row = this.sensor.stats().find((row) =>
      row.source === SOURCES.watch && row.kind === KINDS.open.id
    );
    if (row === undefined) throw new Error("No counters of watched opens");
    return row;
  }

  /**
   * Counters of watched opens once they are as they should be, or the deadline has passed: an opener
   * goes on before its open is counted.
   */
  watchStatsWhen(isSo: (stats: StatsRow) => boolean): StatsRow {
    const end = Date.now() + DEADLINE_MS;
    for (;;) {
      const stats = this.watchStats();
      if (isSo(stats) || Date.now() > end) return stats;
      this.read(SILENCE_MS);
    }
  }

  /** Counters of neighbours that are to be quiet. */
  quietStats(): StatsRow {
    const row = this.sensor.tables().find((row) => row.source === SOURCES.watch);
    if (row === undefined) throw new Error("No counters of quiet neighbours");
    return row;
  }

  [Symbol.dispose](): void {
    this.sensor.close();
  }
}

/** What must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("What must be there is not");
  return value;
}

/** The path of an open record. */
export function pathOf(record: RecordView): string {
  return new TextDecoder().decode(record.slot("open", "path"));
}

/** A test that needs a live sensor; where none can be loaded it is skipped. */
export function sensorTest(
  name: string,
  test: () => void | Promise<void>,
  options: SensorTestOptions = {},
): void {
  const { isPossible = true } = options;
  Deno.test(`sensor: ${name}`, { ignore: !canLoadSensor() || !isPossible }, test);
}

/** Where a test of the sensor can run. */
export interface SensorTestOptions {
  /** False where a kernel or machine lacks what it needs, as tests/skips.json says. Default true. */
  readonly isPossible?: boolean;
}

/** Compiles a helper of tests/support into a folder; its path. */
export async function compile(name: string, folder: string): Promise<string> {
  // A host without a compiler has them ready (tests/kernels).
  const ready = Deno.env.get("IMMUNE_TEST_PROGRAMS");
  if (ready === undefined) return await compileProgram(name, { folder });
  await Deno.copyFile(`${ready}/${name}`, `${folder}/${name}`);
  return `${folder}/${name}`;
}

/** Where a helper goes, and what compiles it. */
export interface CompileOptions {
  readonly folder: string;
  /** Compiler and its first arguments. Default: this host's. */
  readonly compiler?: readonly string[];
}

/** Helpers that are linked in a way of their own; the others have threads. */
const LINKED: Readonly<Record<string, readonly string[]>> = {
  open32: ["-m32", "-nostdlib", "-static"],
  speak: ["-nostdlib", "-static"],
};
/** Those that are no C. */
const ASSEMBLED: ReadonlySet<string> = new Set(["open32"]);

/** Compiles a helper of tests/support; its path. */
export async function compileProgram(name: string, options: CompileOptions): Promise<string> {
  const { folder, compiler: [command = "cc", ...first] = ["cc"] } = options;
  const suffix = ASSEMBLED.has(name) ? "s" : "c";
  const source = new URL(`./${name}.${suffix}`, import.meta.url).pathname;
  const binary = `${folder}/${name}`;
  const { success, stderr } = await new Deno.Command(command, {
    args: [
      ...[...first, "-O1", "-Wall", "-Wextra", "-Werror"],
      ...[...LINKED[name] ?? ["-pthread"], "-o", binary, source],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return binary;
}

/** What a program printed, and which process it was. */
export interface Ran {
  readonly pid: number;
  readonly lines: readonly string[];
}

/** How to run a program. */
export interface RunOptions {
  /** Working directory; default the root. */
  readonly cwd?: string;
}

/** Runs a program to its end; it must succeed. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const cwd = options.cwd ?? "/";
  const child = new Deno.Command(command, { args: [...args], cwd, stdout: "piped" }).spawn();
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  const text = new TextDecoder().decode(stdout).trim();
  return { pid: child.pid, lines: text === "" ? [] : text.split("\n") };
}

/** A temporary folder for one test; its canonical path. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.realPathSync(await Deno.makeTempDir());
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
