const OWN_PATH = "/common/config/program.ts";

/**
 * Folder of the program, with a slash at its end: the project's folder when it runs from its
 * sources, the bundle's folder when it runs as one file. `rules/` and `out/` lie in it.
 */
export const PROGRAM_ROOT: URL = new URL(
  import.meta.url.endsWith(OWN_PATH) ? "../../" : "./",
  import.meta.url,
);
