/**
 * Sentinel Immune: sees what AI workloads do on a host, and says so.
 *
 * One entry file serves the command line and, by the worker's name, each worker of the program.
 *
 * @module
 */
export type { Alert } from "./common/wire/alert.ts";
export { ERROR_CODES, type ErrorCode, ImmuneError } from "./common/config/errors.ts";

import { PIPELINE_WORKER } from "./agent/pipeline/messages.ts";

if (self.name === PIPELINE_WORKER) {
  const { servePipeline } = await import("./agent/pipeline/worker.ts");
  await servePipeline();
} else if (import.meta.main) {
  const { main } = await import("./cli/main.ts");
  Deno.exit(await main(Deno.args));
}
