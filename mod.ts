/**
 * Sentinel Immune: sees what AI workloads do on a host, and says so.
 *
 * @module
 */
export type { Alert } from "./common/wire/alert.ts";
export { ERROR_CODES, type ErrorCode, ImmuneError } from "./common/config/errors.ts";

if (import.meta.main) {
  const { runProgram } = await import("./cli/main.ts");
  const { VERBS } = await import("./cli/verbs/mod.ts");
  await runProgram(VERBS);
}
