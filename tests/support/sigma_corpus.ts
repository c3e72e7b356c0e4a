/**
 * Folder with rules and recorded events of SigmaHQ, without a slash at its end;
 * `specs/differential.md` says which. None of it is in the project.
 */
export const SIGMA_CORPUS: string = Deno.env.get("IMMUNE_TEST_SIGMA") ??
  new URL("../../../shared/corpora/sigma", import.meta.url).pathname;
