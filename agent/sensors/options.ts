import { cString, type LibraryOptions, SENSOR_ABI } from "./library.ts";

/** How to open a sensor. */
export interface KernelOptions extends LibraryOptions {
  /** Kernel types; default /sys/kernel/btf/vmlinux. */
  readonly btf?: string;
  /** Root of cgroup v2; default found among the mounts. */
  readonly cgroup?: string;
  /** Ring of execs, forks and exits, in bytes, a power of two; default 4 MiB. */
  readonly lifecycleRingBytes?: number;
  /** Ring of connects and opens, in bytes, a power of two; default 16 MiB. */
  readonly bulkRingBytes?: number;
}

/** Offsets in `struct immune_options`. */
const OPTIONS = {
  abi: 0, // u32
  lifecycleRingBytes: 4, // u32
  bulkRingBytes: 8, // u32
  btf: 16, // pointer
  cgroup: 24, // pointer
} as const;
const OPTIONS_BYTES = 32;

/**
 * Options as the loader takes them, for as long as one call.
 *
 * @param options What is asked for.
 * @param call Gets the bytes of `struct immune_options`.
 * @returns What `call` returns.
 */
export function withOptions<T>(
  options: KernelOptions,
  call: (bytes: Uint8Array<ArrayBuffer>) => T,
): T {
  const bytes = new Uint8Array(OPTIONS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(OPTIONS.abi, SENSOR_ABI, true);
  view.setUint32(OPTIONS.lifecycleRingBytes, options.lifecycleRingBytes ?? 0, true);
  view.setUint32(OPTIONS.bulkRingBytes, options.bulkRingBytes ?? 0, true);
  // The texts must live until the call is over: they are kept here, the struct has only pointers.
  const texts = [cString(options.btf ?? ""), cString(options.cgroup ?? "")] as const;
  view.setBigUint64(OPTIONS.btf, Deno.UnsafePointer.value(Deno.UnsafePointer.of(texts[0])), true);
  view.setBigUint64(
    OPTIONS.cgroup,
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(texts[1])),
    true,
  );
  try {
    return call(bytes);
  } finally {
    // Used after the call, so that they are not collected during it.
    for (const text of texts) text.fill(0);
  }
}
