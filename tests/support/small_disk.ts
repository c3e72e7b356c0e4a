/**
 * Runs a command.
 *
 * @returns Whether it went well; what it complains of is not shown.
 */
export function ran(command: string, ...args: string[]): boolean {
  return new Deno.Command(command, { args, stderr: "null" }).outputSync().success;
}

/** Whether this process may mount a file system, found out by mounting one. */
export function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = Deno.makeTempDirSync();
  const mounted = ran("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);
  if (mounted) ran("umount", folder);
  Deno.removeSync(folder);
  return mounted;
}
