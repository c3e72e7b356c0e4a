// How a process that watches a host for months is started, so that it takes little memory there
// (specs/memory.md has what each setting gave).

import { verbOf } from "./programs.ts";

/** Verbs that run for months beside other work. */
const LASTING: ReadonlySet<string> = new Set(["agent", "watch"]);

/** glibc (mallopt(3)): one arena for all threads, and what is freed at its end goes back. */
const VARIABLES: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_TRIM_THRESHOLD_: "131072",
};

/** V8: a young generation of 1 MiB a thread, and code that is kept small. */
const FLAGS: readonly string[] = ["--v8-flags=--max-semi-space-size=1,--optimize-for-size"];

/**
 * Flags of `deno run` for a command line.
 *
 * @param args Arguments of `immune`.
 */
export function memoryFlags(args: readonly string[]): readonly string[] {
  return isLasting(args) ? FLAGS : [];
}

/**
 * Variables that a command line is started with; they have to be there before the process is.
 *
 * @param args Arguments of `immune`.
 */
export function memoryVariables(args: readonly string[]): Readonly<Record<string, string>> {
  return isLasting(args) ? VARIABLES : {};
}

function isLasting(args: readonly string[]): boolean {
  const verb = verbOf(args);
  return verb !== undefined && LASTING.has(verb);
}
