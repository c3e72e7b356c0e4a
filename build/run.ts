/**
 * Runs a command with this terminal.
 *
 * @param command Program and arguments.
 * @param options `cwd`: where.
 * @returns Its exit code.
 */
export async function run(
  command: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<number> {
  const [program = "", ...args] = command;
  const { code } = await new Deno.Command(program, {
    args,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: "null",
  }).spawn().status;
  return code;
}
