import { cString, type LibraryOptions, loadLibrary } from "./library.ts";
import { capabilityNames } from "./linux_capabilities.ts";

/** First size of the buffer of a fact, in bytes. */
const FACT_BYTES_FIRST = 16 * 1024;
/** Longest fact that is read; a longer one is cut there, in bytes. */
export const FACT_BYTES_MAX = 4 * 1024 * 1024;
/** What /proc/self/ns/pid says in the first pid namespace (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";
const BTF = "/sys/kernel/btf/vmlinux";
/** Enough to see that a file can be read. */
const PRESENCE_BYTES = 64;
/** BTF_MAGIC in both byte orders (linux/btf.h), and ELF's. */
const TYPE_MAGICS = [[0x9F, 0xEB], [0xEB, 0x9F], [0x7F, 0x45, 0x4C, 0x46]] as const;

/** How to read a fact. */
export interface FactOptions extends LibraryOptions {
  /** Longest fact, in bytes; default {@linkcode FACT_BYTES_MAX}. */
  readonly bytesMax?: number;
}

/** What the sensor's needs are checked against. */
export interface HostFacts {
  /** As `uname -r` gives it. */
  readonly kernelRelease: string;
  /** `x86_64`, `aarch64`, ... */
  readonly architecture: string;
  /** Effective user id of this process. */
  readonly uid: number;
  /** Effective capabilities of this process, such as `CAP_BPF`. */
  readonly capabilities: readonly string[];
  /** Where kernel types are looked for. */
  readonly btfPath: string;
  /** True when they are there. */
  readonly btf: boolean;
  /** Lockdown mode: `none`, `integrity`, `confidentiality`; undefined = the kernel has none. */
  readonly lockdown: string | undefined;
  /** True when this process is not in the first pid namespace. */
  readonly foreignPidNamespace: boolean;
  /** Active Linux security modules; empty when not told. */
  readonly securityModules: readonly string[];
  /** UUID of this boot. */
  readonly bootId: string;
  /** Where cgroup v2 is mounted; undefined = nowhere. */
  readonly cgroup2: string | undefined;
  /** Id of the container that this process runs in; undefined = none seen. */
  readonly container: string | undefined;
}

/**
 * Reads a file below /proc, /sys/fs/cgroup, /sys/kernel/security or /sys/kernel/btf; of a symbolic
 * link its target.
 *
 * @param path Absolute path.
 * @param options Bound and library.
 * @returns Its bytes, or `undefined` when it is not there, may not be read, or is elsewhere.
 */
export function readFact(
  path: string,
  options: FactOptions = {},
): Uint8Array<ArrayBuffer> | undefined {
  const { symbols } = loadLibrary(options);
  const bytesMax = options.bytesMax ?? FACT_BYTES_MAX;
  const name = cString(path);
  for (let size = Math.min(FACT_BYTES_FIRST, bytesMax);; size = Math.min(size * 4, bytesMax)) {
    const buffer = new Uint8Array(size);
    const length = Number(symbols.immune_read(name, buffer, size));
    if (length < 0) return undefined;
    if (length < size || size === bytesMax) return buffer.subarray(0, length);
  }
}

/**
 * The clock of the records.
 *
 * @param options Where the library is.
 * @returns Nanoseconds since boot, suspend included.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` when the library is missing.
 */
export function bootTimeNs(options: LibraryOptions = {}): bigint {
  return loadLibrary(options).symbols.immune_boot_time_ns();
}

/** Where facts may be overridden. */
export interface HostFactOptions extends LibraryOptions {
  /** Kernel types; default /sys/kernel/btf/vmlinux. */
  readonly btf?: string;
}

/**
 * What this host is like, as far as the sensor cares.
 *
 * @param options Overrides.
 * @returns The facts; one that cannot be read is empty or undefined.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` when the loader's library is missing.
 */
export function hostFacts(options: HostFactOptions = {}): HostFacts {
  const read = (path: string): string => text(readFact(path, options));
  const status = read("/proc/self/status");
  const btfPath = options.btf || BTF;
  return {
    kernelRelease: read("/proc/sys/kernel/osrelease").trim(),
    architecture: Deno.build.arch,
    uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? NaN),
    capabilities: capabilityNames(/^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? "0"),
    btfPath,
    btf: hasTypes(btfPath, options),
    lockdown: /\[(\w+)\]/.exec(read("/sys/kernel/security/lockdown"))?.[1],
    foreignPidNamespace: read("/proc/self/ns/pid") !== FIRST_PID_NAMESPACE,
    securityModules: read("/sys/kernel/security/lsm").split(",").map((name) => name.trim())
      .filter((name) => name !== ""),
    bootId: read("/proc/sys/kernel/random/boot_id").trim(),
    cgroup2: cgroup2Mount(read("/proc/self/mountinfo")),
    container: containerOf(read("/proc/self/cgroup")),
  };
}

/**
 * Where cgroup v2 is mounted.
 *
 * @param mountinfo Text of /proc/self/mountinfo (proc_pid_mountinfo(5)).
 * @returns The first mount point, unescaped, or `undefined`.
 */
export function cgroup2Mount(mountinfo: string): string | undefined {
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ", 2);
    if (after?.startsWith("cgroup2 ") !== true) continue;
    return before?.split(" ")[4]?.replace(
      /\\([0-7]{3})/g,
      (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
    );
  }
  return undefined;
}

/**
 * The container that a cgroup path belongs to.
 *
 * @param cgroup Text of /proc/PID/cgroup.
 * @returns 64 hexadecimal digits as container engines use them, or `undefined`.
 */
export function containerOf(cgroup: string): string | undefined {
  return /(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m.exec(cgroup)?.[1];
}

/** True for a file that starts as kernel types do: raw BTF, or ELF that may hold it. */
function hasTypes(path: string, options: LibraryOptions): boolean {
  const start = path.startsWith("/sys/kernel/btf/")
    ? readFact(path, { ...options, bytesMax: PRESENCE_BYTES })
    : readStart(path);
  if (start === undefined) return false;
  return TYPE_MAGICS.some((magic) => magic.every((byte, i) => start[i] === byte));
}

function readStart(path: string): Uint8Array | undefined {
  try {
    if (!Deno.statSync(path).isFile) return undefined;
    using file = Deno.openSync(path);
    const start = new Uint8Array(PRESENCE_BYTES);
    return start.subarray(0, file.readSync(start) ?? 0);
  } catch {
    return undefined;
  }
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}
