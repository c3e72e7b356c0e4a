import { run } from "./probe.ts";

/**
 * Mounts a file system in memory for as long as a test needs it.
 *
 * @param place Where; made here.
 * @param body Works there.
 */
export async function onTmpfs(place: string, body: () => Promise<void>): Promise<void> {
  await Deno.mkdir(place);
  await run("mount", ["-t", "tmpfs", "none", place]);
  try {
    await body();
  } finally {
    await run("umount", [place]);
  }
}

/**
 * Mounts an overlay, each layer of which is a file system in memory of its own.
 *
 * @param where Folder that it is made in, and a program that its lower layer has under its own name.
 * @param body Given the program's path in the overlay.
 */
export async function onOverlay(
  { folder, program }: { readonly folder: string; readonly program: string },
  body: (program: string) => Promise<void>,
): Promise<void> {
  const [lower, upper, merged] = [`${folder}/lower`, `${folder}/upper`, `${folder}/merged`];
  const name = program.slice(program.lastIndexOf("/") + 1);
  await onTmpfs(lower, () =>
    onTmpfs(upper, async () => {
      for (const path of [`${upper}/up`, `${upper}/work`, merged]) await Deno.mkdir(path);
      await Deno.copyFile(program, `${lower}/${name}`);
      const layers = `lowerdir=${lower},upperdir=${upper}/up,workdir=${upper}/work`;
      await run("mount", ["-t", "overlay", "none", merged, "-o", layers]);
      try {
        await body(`${merged}/${name}`);
      } finally {
        await run("umount", [merged]);
      }
    }));
}

/** Whether this kernel has overlayfs. */
export function hasOverlay(): boolean {
  return Deno.readTextFileSync("/proc/filesystems").includes("\toverlay\n");
}
