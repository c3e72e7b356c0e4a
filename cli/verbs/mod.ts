import type { Command } from "commander";

/** Adds a verb to the program; `exit` sets the exit code when the verb is done. */
export type AddVerb = (program: Command, exit: (code: number) => void) => void;

/** Verbs by their names, in the order of the help: one is loaded when it is asked for. */
export type Verbs = Readonly<Record<string, () => Promise<AddVerb>>>;

/** All verbs. */
export const VERBS: Verbs = {
  up: async () => (await import("./up.ts")).addUp,
  status: async () => (await import("./status.ts")).addStatus,
  alerts: async () => (await import("./alerts.ts")).addAlerts,
  agents: async () => (await import("./agents.ts")).addAgents,
  users: async () => (await import("./users.ts")).addUsers,
  tokens: async () => (await import("./tokens.ts")).addTokens,
  approvals: async () => (await import("./approvals.ts")).addApprovals,
  audit: async () => (await import("./audit.ts")).addAudit,
  directives: async () => (await import("./directives.ts")).addDirectives,
  "kill-switch": async () => (await import("./kill_switch.ts")).addKillSwitch,
  watch: async () => (await import("./watch.ts")).addWatch,
  events: async () => (await import("./events.ts")).addEvents,
  replay: async () => (await import("./replay.ts")).addReplay,
  rules: async () => (await import("./rules.ts")).addRules,
  indicators: async () => (await import("./indicators.ts")).addIndicators,
  doctor: async () => (await import("./doctor.ts")).addDoctor,
  herd: async () => (await import("./herd.ts")).addHerd,
  hive: async () => (await import("./hive.ts")).addHive,
  ca: async () => (await import("./ca.ts")).addCa,
  agent: async () => (await import("./agent.ts")).addAgent,
  enroll: async () => (await import("./enroll.ts")).addEnroll,
  uninstall: async () => (await import("./uninstall.ts")).addUninstall,
  config: async () => (await import("./config.ts")).addConfig,
  permissions: async () => (await import("./permissions.ts")).addPermissions,
  version: async () => (await import("./version.ts")).addVersion,
};
