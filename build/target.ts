const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** What the sensor is built for. */
export interface SensorTarget {
  /** Architecture, as Deno names it. */
  readonly arch: string;
  /** Folder of all that is made. */
  readonly folder: string;
  /** Types of a kernel of that architecture; which one does not matter (CO-RE). */
  readonly btf: string;
  /** Name of that kernel: types are made again when it changes. */
  readonly release: string;
  /** C compiler and its first arguments. */
  readonly compiler: readonly string[];
}

/** This host. */
export const HOST: SensorTarget = {
  arch: Deno.build.arch,
  folder: `${ROOT}/out`,
  btf: "/sys/kernel/btf/vmlinux",
  release: Deno.osRelease(),
  compiler: ["cc"],
};
