// What tests of the live sensor are compiled to, in one folder.

import { run } from "./run.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const WARNINGS = ["-Wall", "-Wextra", "-Werror"];

/** How the programs are compiled. */
export interface LiveTestOptions {
  /** Compiler and its first arguments. Default: the host's. */
  readonly compiler?: readonly string[];
  /** Folder with the library and `gen/`. Default: `out`. */
  readonly built?: string;
}

/** Parts of the loader that are tested by themselves; the library hides them. */
const PARTS = [
  "file_tick",
  "hash_cache",
  "hash_read",
  "object",
  "sha256",
  "snapshot",
  "snapshot_record",
];

/**
 * Compiles the live tests of the loader (`bpf/loader/*_test.c`) against the built library.
 *
 * @param program Where it goes.
 * @param options Compiler and library.
 * @throws {Error} when they do not compile.
 */
export async function buildSensorTest(
  program: string,
  options: LiveTestOptions = {},
): Promise<void> {
  const { compiler = ["cc"], built = `${ROOT}/out` } = options;
  const sources = [...Deno.readDirSync(`${ROOT}/bpf/loader`)]
    .filter((entry) => entry.name.endsWith("_test.c"))
    .map((entry) => `${ROOT}/bpf/loader/${entry.name}`)
    .sort();
  await compile([
    ...compiler,
    ..."-O1 -g -std=gnu11 -D_GNU_SOURCE= -pthread".split(" "),
    ...WARNINGS,
    ...[`${built}/gen`, `${ROOT}/bpf/lib`, `${ROOT}/bpf/loader`].map((folder) => `-I${folder}`),
    ...sources,
    ...PARTS.map((name) => `${ROOT}/bpf/loader/${name}.c`),
    `-L${built}`,
    "-limmune_sensor",
    "-lbpf",
    `-Wl,-rpath,${built}`,
    "-o",
    program,
  ]);
}

/**
 * Compiles the program that says what the verifier does with each eBPF program.
 *
 * @param program Where it goes.
 * @param options Compiler and headers.
 * @throws {Error} when it does not compile.
 */
export async function buildReport(program: string, options: LiveTestOptions = {}): Promise<void> {
  const { compiler = ["cc"], built = `${ROOT}/out` } = options;
  await compile([
    ...compiler,
    "-O1",
    ...WARNINGS,
    `-I${built}/gen`,
    ...[`${ROOT}/bpf/lib`, `${ROOT}/bpf/loader`].map((folder) => `-I${folder}`),
    `${ROOT}/bpf/report/report.c`,
    `${ROOT}/bpf/loader/object.c`,
    "-lbpf",
    "-o",
    program,
  ]);
}

async function compile(command: readonly string[]): Promise<void> {
  if (await run(command) !== 0) throw new Error(`Cannot compile: ${command.join(" ")}`);
}
