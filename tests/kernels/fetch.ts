import { PrivateApt, unpackDeb, Unreachable } from "./apt.ts";
import type { Kernel } from "./kernels.ts";
import { missingEmulator } from "./machine.ts";

/** Folder of what is fetched and made, kept between runs. */
export const FOLDER: string = new URL("../../out/kernels", import.meta.url).pathname;
/** First program of a guest. */
export const BUSYBOX = "/usr/bin/busybox";

/** A kernel's image, or why there is none. */
export type Obtained =
  | { readonly image: string; readonly missing?: undefined }
  | { readonly image?: undefined; readonly missing: string };

/**
 * Fetches a kernel and unpacks its image, once.
 *
 * @param kernel Which one.
 * @returns Path of its image, or what this host or its mirror lacks.
 */
export async function obtainKernel(kernel: Kernel): Promise<Obtained> {
  const emulator = await missingEmulator(kernel.arch);
  if (emulator !== undefined) return { missing: `there is no ${emulator} on this host` };
  if (!(await exists(BUSYBOX))) return { missing: `there is no ${BUSYBOX} (busybox-static)` };
  try {
    return { image: await fetchKernel(kernel) };
  } catch (error) {
    if (error instanceof Unreachable) return { missing: error.message };
    throw error;
  }
}

async function fetchKernel(kernel: Kernel): Promise<string> {
  const { archive, name } = kernel.suite;
  const apt = await PrivateApt.open({
    folder: `${FOLDER}/apt-${kernel.arch}-${archive}-${name}`,
    arch: kernel.arch,
    suites: [kernel.suite],
  });
  const found = await apt.find(kernel.package);
  const path = `${FOLDER}/vmlinuz-${found}`;
  if (await exists(path)) return path;
  const unpacked = `${FOLDER}/unpacked-${found}`;
  await Deno.mkdir(unpacked, { recursive: true });
  await unpackDeb(await apt.fetch(found), unpacked);
  await Deno.rename(imageIn(unpacked), path);
  await Deno.remove(unpacked, { recursive: true });
  return path;
}

/** The image lies in /boot, or from 7.1 on beside the modules. */
function imageIn(folder: string): string {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory && name.startsWith("vmlinuz")) return path;
    const found = isDirectory ? imageIn(path) : "";
    if (found !== "") return found;
  }
  return "";
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
