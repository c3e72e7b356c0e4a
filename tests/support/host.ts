/**
 * Facts of the host that a test needs; what is missing is the reason in tests/skips.json.
 *
 * @returns True when eBPF programs can be loaded here: root, Linux, BTF.
 */
export function canLoadSensor(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  try {
    return Deno.statSync("/sys/kernel/btf/vmlinux").isFile;
  } catch {
    return false;
  }
}

/**
 * This kernel's types, without the word that says it has Bloom maps: as before Linux 5.16.
 *
 * @param folder Where the file goes; its path is returned.
 */
export async function olderTypes(folder: string): Promise<string> {
  const types = await Deno.readFile("/sys/kernel/btf/vmlinux");
  const word = new TextEncoder().encode("\0BPF_MAP_TYPE_BLOOM_FILTER\0");
  const at = types.findIndex((_, i) => word.every((byte, k) => types[i + k] === byte));
  if (at <= 0) throw new Error("This kernel has no Bloom maps to hide");
  types.set(new TextEncoder().encode("X"), at + 1);
  await Deno.writeFile(`${folder}/btf`, types);
  return `${folder}/btf`;
}

/**
 * Whether this kernel is of a release or a later one.
 *
 * @param major Of its version.
 * @param minor Of its version.
 */
export function kernelIsAtLeast(major: number, minor: number): boolean {
  const [ours = 0, minorOfOurs = 0] = Deno.osRelease().split(".").map(Number);
  return ours > major || (ours === major && minorOfOurs >= minor);
}

/** Whether this kernel speaks MPTCP (RFC 8684); Debian's of Linux 5.10 does not. */
export function hasMptcp(): boolean {
  try {
    return Deno.statSync("/proc/sys/net/mptcp").isDirectory;
  } catch {
    return false;
  }
}
