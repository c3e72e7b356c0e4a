const OWN_PATH = "/common/config/program.ts";
const runsFromSources = import.meta.url.endsWith(OWN_PATH);

/**
 * Folder of the program, with a slash at its end: the project's folder when it runs from its
 * sources, the bundle's folder when it runs as one file. `rules/` and `out/` lie in it.
 */
export const PROGRAM_ROOT: URL = new URL(
  runsFromSources ? "../../" : "./",
  import.meta.url,
);

/**
 * A module that is a file of its own in `dist/`: a program, what one of its Workers runs, or what a
 * long-running thread loads only when it needs it. The engine reads all that a module could import,
 * and keeps its text for as long as the thread lives.
 */
export interface ProgramModule {
  /** Its file in `dist/` without `.js`; of a Worker also the Worker's name. */
  readonly name: string;
  /** Its source, from the project's folder. */
  readonly source: string;
}

/**
 * Where a module lies.
 *
 * @param module Which one.
 * @returns Its address: to be given to `import()`, or to be started.
 */
export function moduleAddress({ name, source }: ProgramModule): string {
  return new URL(runsFromSources ? source : `${name}.js`, PROGRAM_ROOT).href;
}

/**
 * Starts a Worker.
 *
 * @param module What it runs.
 */
export function startWorker(module: ProgramModule): Worker {
  return new Worker(moduleAddress(module), { type: "module", name: module.name });
}
