import type { Command } from "commander";
import { addConfig } from "./config.ts";
import { addDoctor } from "./doctor.ts";
import { addEvents } from "./events.ts";
import { addPermissions } from "./permissions.ts";
import { addReplay } from "./replay.ts";
import { addRules } from "./rules.ts";
import { addVersion } from "./version.ts";
import { addWatch } from "./watch.ts";

/** Adds a verb to the program; `exit` sets the exit code when the verb is done. */
export type AddVerb = (program: Command, exit: (code: number) => void) => void;

/** All verbs, in the order of the help. */
export const VERBS: readonly AddVerb[] = [
  addWatch,
  addEvents,
  addReplay,
  addRules,
  addDoctor,
  addConfig,
  addPermissions,
  addVersion,
];
