import { ImmuneError } from "../../common/config/errors.ts";
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

/** Longest path in the options, its NUL included, in bytes (IMMUNE_OPTION_PATH_BYTES). */
export const OPTION_PATH_BYTES = 1024;

/** Offsets in `struct immune_options`. */
const OPTIONS = {
  abi: 0, // u32
  lifecycleRingBytes: 4, // u32
  bulkRingBytes: 8, // u32
  btf: 16, // char[1024]
  cgroup: 16 + OPTION_PATH_BYTES, // char[1024]
} as const;
const OPTIONS_BYTES = 16 + 2 * OPTION_PATH_BYTES;

/**
 * Options as the loader takes them.
 *
 * @param options What is asked for.
 * @returns Bytes of `struct immune_options`.
 * @throws {ImmuneError} `CONFIG_INVALID` when a path is too long or has a NUL in it.
 */
export function encodeOptions(options: KernelOptions): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OPTIONS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(OPTIONS.abi, SENSOR_ABI, true);
  view.setUint32(OPTIONS.lifecycleRingBytes, options.lifecycleRingBytes ?? 0, true);
  view.setUint32(OPTIONS.bulkRingBytes, options.bulkRingBytes ?? 0, true);
  bytes.set(pathBytes(options.btf ?? ""), OPTIONS.btf);
  bytes.set(pathBytes(options.cgroup ?? ""), OPTIONS.cgroup);
  return bytes;
}

function pathBytes(path: string): Uint8Array {
  const bytes = cString(path);
  if (bytes.length > OPTION_PATH_BYTES) {
    throw new ImmuneError(
      "CONFIG_INVALID",
      `Cannot use "${path.slice(0, 80)}...": a path has at most ${
        OPTION_PATH_BYTES - 1
      } bytes here`,
    );
  }
  return bytes;
}
