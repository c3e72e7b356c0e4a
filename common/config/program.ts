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
 * The module that a Worker of the agent runs. From sources it is the program's one entry file, which
 * looks at the Worker's name; in `dist/` a file of its own, named after it, that holds only what it
 * needs: the engine keeps the text of a module for as long as the Worker lives.
 *
 * @param name The Worker's name.
 * @returns Its address.
 */
export function workerProgram(name: string): string {
  return runsFromSources ? Deno.mainModule : new URL(`${name}.js`, import.meta.url).href;
}

/**
 * A module that a long-running thread loads only when it needs it, and that is therefore no part of
 * its file in `dist/`: to be given to `import()`.
 *
 * @param name Its file in `dist/`.
 * @param source Its source, from the project's folder.
 * @returns Its address.
 */
export function programPart(name: string, source: string): string {
  return new URL(runsFromSources ? source : name, PROGRAM_ROOT).href;
}
