import type { ProgramModule } from "../common/config/program.ts";

/** The program with all verbs, for those that have none of their own. */
export const WHOLE_PROGRAM: ProgramModule = { name: "immune", source: "mod.ts" };

/** What the launcher asks first. */
export const PERMISSIONS_PROGRAM: ProgramModule = {
  name: "immune-permissions",
  source: "cli/permissions_program.ts",
};

/** A program with some verbs. */
export interface VerbsProgram extends ProgramModule {
  readonly verbs: readonly string[];
}

/**
 * Programs that know some verbs alone: what an operator types is answered at once, and what runs
 * for months holds no text that it never needs.
 */
export const VERBS_PROGRAMS: readonly VerbsProgram[] = [
  {
    name: "immune-operator",
    source: "cli/operator_program.ts",
    verbs: [
      "status",
      "alerts",
      "agents",
      "users",
      "tokens",
      "approvals",
    ],
  },
  {
    name: "immune-orders",
    source: "cli/orders_program.ts",
    verbs: ["audit", "directives", "kill-switch"],
  },
  {
    name: "immune-up",
    source: "cli/up_program.ts",
    verbs: ["up", "doctor", "enroll", "uninstall"],
  },
  { name: "immune-watch", source: "cli/watch_program.ts", verbs: ["watch", "events"] },
  { name: "immune-hive", source: "cli/hive_program.ts", verbs: ["hive"] },
  { name: "immune-agent", source: "cli/agent_program.ts", verbs: ["agent"] },
];

/** Other names of verbs. */
const ALIASES: Readonly<Record<string, string>> = { threats: "alerts" };

/**
 * The verb of a command line, by its first name; none where help is asked for before it.
 *
 * @param args Arguments of `immune`.
 */
export function verbOf(args: readonly string[]): string | undefined {
  const typed = args.find((arg) => !arg.startsWith("-") || arg === "--help" || arg === "-h");
  if (typed?.startsWith("-")) return undefined;
  return typed !== undefined && Object.hasOwn(ALIASES, typed) ? ALIASES[typed] : typed;
}

/**
 * The program that a command line is started with.
 *
 * @param args Arguments of `immune`.
 */
export function programOf(args: readonly string[]): ProgramModule {
  const verb = verbOf(args) ?? "";
  return VERBS_PROGRAMS.find(({ verbs }) => verbs.includes(verb)) ?? WHOLE_PROGRAM;
}
