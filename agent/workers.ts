import type { ProgramModule } from "../common/config/program.ts";
import { HERD_WORKER } from "./herd/messages.ts";
import { INDICATORS_WORKER } from "./indicators/messages.ts";
import { PIPELINE_WORKER } from "./pipeline/messages.ts";
import { RULES_WORKER } from "./rules/messages.ts";

/** All threads of the agent besides its first. */
export const AGENT_WORKERS: readonly ProgramModule[] = [
  PIPELINE_WORKER,
  RULES_WORKER,
  INDICATORS_WORKER,
  HERD_WORKER,
];
