/**
 * Sentinel Immune: sees what AI workloads do on a host, and says so.
 *
 * One entry file serves the command line and, by the worker's name, each worker of the program.
 *
 * @module
 */
export type { Alert } from "./common/wire/alert.ts";
export { ERROR_CODES, type ErrorCode, ImmuneError } from "./common/config/errors.ts";

import { HERD_WORKER } from "./agent/herd/messages.ts";
import { INDICATORS_WORKER } from "./agent/indicators/messages.ts";
import { PIPELINE_WORKER } from "./agent/pipeline/messages.ts";
import { RULES_WORKER } from "./agent/rules/messages.ts";
import { DETECT_WORKER, FLEET_RULES_WORKER } from "./hive/detect/messages.ts";
import { ORDINARY_WORKER } from "./hive/herd/ordinary_messages.ts";
import { STORE_WORKER } from "./hive/store/messages.ts";
import { SIGNER_WORKER } from "./hive/command/messages.ts";
import { INTAKE_WORKER } from "./hive/intake/messages.ts";

if (self.name === PIPELINE_WORKER) {
  await import("./agent/pipeline/program.ts");
} else if (self.name === RULES_WORKER) {
  await import("./agent/rules/program.ts");
} else if (self.name === INDICATORS_WORKER) {
  await import("./agent/indicators/program.ts");
} else if (self.name === HERD_WORKER) {
  await import("./agent/herd/program.ts");
} else if (self.name === INTAKE_WORKER) {
  const { serveIntake } = await import("./hive/intake/worker.ts");
  serveIntake();
} else if (self.name === SIGNER_WORKER) {
  const { serveSigner } = await import("./hive/command/signer_worker.ts");
  serveSigner();
} else if (self.name === STORE_WORKER) {
  const { serveStore } = await import("./hive/store/worker.ts");
  serveStore();
} else if (self.name === DETECT_WORKER) {
  const { serveDetection } = await import("./hive/detect/worker.ts");
  serveDetection();
} else if (self.name === FLEET_RULES_WORKER) {
  const { serveFleetRules } = await import("./hive/detect/rules_worker.ts");
  serveFleetRules();
} else if (self.name === ORDINARY_WORKER) {
  const { serveOrdinary } = await import("./hive/herd/ordinary_worker.ts");
  serveOrdinary();
} else if (import.meta.main) {
  const { main } = await import("./cli/main.ts");
  const { VERBS } = await import("./cli/verbs/mod.ts");
  Deno.exit(await main(Deno.args, VERBS));
}
