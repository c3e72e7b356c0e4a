/** Times that it is tried to unmount, and the pause between two, in milliseconds: 10 s. */
const UNMOUNTS_MAX = 100;
const UNMOUNT_PAUSE_MS = 100;

/**
 * Runs a command.
 *
 * @returns Whether it went well; what it complains of is not shown.
 */
export function ran(command: string, ...args: string[]): boolean {
  return new Deno.Command(command, { args, stderr: "null" }).outputSync().success;
}

/** Unmounts a file system, once who looks at every new one has let go of it; false = nobody did. */
export function unmount(folder: string): boolean {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < UNMOUNTS_MAX; i++) {
    if (ran("umount", folder)) return true;
    Atomics.wait(nothing, 0, 0, UNMOUNT_PAUSE_MS);
  }
  return false;
}

/** Whether this process may mount a file system, found out by mounting one. */
export function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = Deno.makeTempDirSync();
  const mounted = ran("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);
  if (mounted) unmount(folder);
  Deno.removeSync(folder);
  return mounted;
}
