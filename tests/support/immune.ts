import { fileURLToPath } from "node:url";
import { memoryFlags, memoryVariables } from "../../cli/memory.ts";
import { permissionFlags } from "../../cli/permissions.ts";
import { programOf } from "../../cli/programs.ts";

/** The project's folder, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** What a run of the program came to. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the program is started. */
export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Variables of this process that it does not get. Default: none. */
  readonly without?: readonly string[];
  readonly stdin?: "null" | "piped";
  /** Command that comes before, for instance `unshare`. */
  readonly prefix?: readonly string[];
}

/**
 * The program as its launcher starts it, with the permissions of its verb.
 *
 * @param args Arguments of `immune`.
 * @param options Environment and standard input.
 * @returns The command, not started yet.
 */
export function immune(args: readonly string[], options: StartOptions = {}): Deno.Command {
  const inherited = Deno.env.toObject();
  for (const name of options.without ?? []) delete inherited[name];
  const environment = { ...inherited, ...options.environment };
  const command = [
    ...(options.prefix ?? []),
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    `--config=${ROOT}deno.json`,
    ...memoryFlags(args),
    ...permissionFlags(args, { root: ROOT, environment }),
    `${ROOT}${programOf(args).source}`,
    ...args,
  ];
  return new Deno.Command(command[0] ?? "", {
    args: command.slice(1),
    clearEnv: true,
    env: { ...inherited, ...memoryVariables(args), ...options.environment },
    stdin: options.stdin ?? "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/**
 * Runs the program to its end.
 *
 * @param args Arguments of `immune`.
 * @param options Environment.
 */
export async function runImmune(args: readonly string[], options: StartOptions = {}): Promise<Run> {
  const { code, stdout, stderr } = await immune(args, options).output();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
