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
