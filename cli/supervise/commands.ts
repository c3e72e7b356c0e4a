import { fileURLToPath } from "node:url";
import { moduleAddress, PROGRAM_ROOT } from "../../common/config/program.ts";
import { memoryFlags } from "../memory.ts";
import { permissionFlags } from "../permissions.ts";
import { programOf } from "../programs.ts";
import type { SystemUser } from "./user.ts";

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
  /** Folder with copies of the program's files. Default: where they are. */
  readonly programs?: string;
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
 * @param options Files, user, capabilities.
 * @returns Program and arguments.
 */
export function partCommand(args: readonly string[], options: PartOptions): string[] {
  const root = fileURLToPath(PROGRAM_ROOT);
  const { programs, user, capabilities, environment } = options;
  const module = programOf(args);
  const program = programs === undefined
    ? fileURLToPath(moduleAddress(module))
    : `${programs}/${module.name}.js`;
  return [
    ...(user === undefined && capabilities === undefined ? [] : [runAs(root)]),
    // Deno's own word for a file that this user cannot get at names neither file nor folder.
    ...(user === undefined ? [] : ["--user", `${user.uid}:${user.gid}`, "--reads", program]),
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
    ...permissionFlags(args, {
      root,
      environment,
      ...(programs === undefined ? {} : { programs }),
    }),
    program,
    ...args,
  ];
}

/** The program that starts others with fewer rights. */
export function runAs(root: string): string {
  return `${root}out/immune-run-as`;
}
