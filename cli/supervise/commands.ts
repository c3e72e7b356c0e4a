import { fileURLToPath } from "node:url";
import { PROGRAM_ROOT } from "../../common/config/mod.ts";
import { memoryFlags } from "../memory.ts";
import { permissionFlags } from "../permissions.ts";
import type { SystemUser } from "./user.ts";

/** Name of the agent's program in `dist/`, beside the whole program. */
export const AGENT_PROGRAM = "immune-agent.js";

/** Capabilities that the agent needs (capabilities(7)), as `immune-run-as` names them. */
export const AGENT_CAPABILITIES = [
  "bpf",
  "perfmon",
  "net_admin",
  "sys_admin",
  "sys_ptrace",
  "dac_read_search",
] as const;

/** How a part of the program is started. */
export interface PartOptions {
  /** The one file that is the program. */
  readonly program: string;
  /** Start it as this user. */
  readonly user?: SystemUser;
  /** Leave it only these capabilities. */
  readonly capabilities?: readonly string[];
  /** Its environment, from which its settings are read. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The command that starts a part of the program with its own permissions and no others.
 *
 * @param args Arguments of `immune`.
 * @param options Program, user, capabilities.
 * @returns Program and arguments.
 */
export function partCommand(args: readonly string[], options: PartOptions): string[] {
  const root = fileURLToPath(PROGRAM_ROOT);
  const { program, user, capabilities, environment } = options;
  return [
    ...(user === undefined && capabilities === undefined ? [] : [runAs(root)]),
    ...(user === undefined ? [] : ["--user", `${user.uid}:${user.gid}`]),
    ...(capabilities === undefined ? [] : ["--caps", capabilities.join(",")]),
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    ...memoryFlags(args),
    // A bundle needs nothing beside it; sources need their configuration.
    ...(program.endsWith(".js")
      ? ["--no-config", "--no-lock", "--no-npm", "--no-remote"]
      : ["--frozen", `--config=${root}deno.json`]),
    ...permissionFlags(args, { root, environment, program }),
    program,
    ...args,
  ];
}

/** The program that starts others with fewer rights. */
export function runAs(root: string): string {
  return `${root}out/immune-run-as`;
}
