import type { Command } from "commander";
import { addAgent } from "./agent.ts";
import { addAgents } from "./agents.ts";
import { addAlerts } from "./alerts.ts";
import { addApprovals } from "./approvals.ts";
import { addAudit } from "./audit.ts";
import { addCa } from "./ca.ts";
import { addConfig } from "./config.ts";
import { addDirectives } from "./directives.ts";
import { addDoctor } from "./doctor.ts";
import { addEnroll } from "./enroll.ts";
import { addEvents } from "./events.ts";
import { addHerd } from "./herd.ts";
import { addHive } from "./hive.ts";
import { addIndicators } from "./indicators.ts";
import { addKillSwitch } from "./kill_switch.ts";
import { addPermissions } from "./permissions.ts";
import { addReplay } from "./replay.ts";
import { addRules } from "./rules.ts";
import { addStatus } from "./status.ts";
import { addTokens } from "./tokens.ts";
import { addUninstall } from "./uninstall.ts";
import { addUp } from "./up.ts";
import { addUsers } from "./users.ts";
import { addVersion } from "./version.ts";
import { addWatch } from "./watch.ts";

/** Adds a verb to the program; `exit` sets the exit code when the verb is done. */
export type AddVerb = (program: Command, exit: (code: number) => void) => void;

/** All verbs, in the order of the help. */
export const VERBS: readonly AddVerb[] = [
  addUp,
  addStatus,
  addAlerts,
  addAgents,
  addUsers,
  addTokens,
  addApprovals,
  addAudit,
  addDirectives,
  addKillSwitch,
  addWatch,
  addEvents,
  addReplay,
  addRules,
  addIndicators,
  addDoctor,
  addHerd,
  addHive,
  addCa,
  addAgent,
  addEnroll,
  addUninstall,
  addConfig,
  addPermissions,
  addVersion,
];
