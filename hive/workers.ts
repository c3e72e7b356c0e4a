import type { ProgramModule } from "../common/config/program.ts";
import { SIGNER_WORKER } from "./command/messages.ts";
import { DETECT_WORKER, FLEET_RULES_WORKER } from "./detect/messages.ts";
import { ORDINARY_WORKER } from "./herd/ordinary_messages.ts";
import { INTAKE_WORKER } from "./intake/messages.ts";
import { STORE_WORKER } from "./store/messages.ts";

/** All threads of the hive besides its first. */
export const HIVE_WORKERS: readonly ProgramModule[] = [
  STORE_WORKER,
  SIGNER_WORKER,
  INTAKE_WORKER,
  DETECT_WORKER,
  FLEET_RULES_WORKER,
  ORDINARY_WORKER,
];
