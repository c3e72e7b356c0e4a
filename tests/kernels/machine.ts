import type { GuestArch } from "./kernels.ts";
import { decodeReport, type GuestReport } from "./report.ts";

/** Memory of a guest, in MiB. */
const MEMORY_MIB = 1024;
/** CPUs of a guest. */
const CPUS = 2;
/** Lines of the serial port that are kept to show what a guest did last. */
const LAST_LINES = 25;
/** Where it finds its root: on NVMe, the one disk whose driver is in all these kernels, as is ext4. */
const ROOT_ARGUMENTS = "root=/dev/nvme0n1 rootfstype=ext4 rootwait rw init=/init";
/** Security modules that a guest runs, eBPF's among them. */
const LSM = "landlock,lockdown,yama,integrity,bpf";

/**
 * Emulator and console of an architecture. Pointer authentication by the emulator's own hash: that of
 * the architecture takes most of the time of a guest.
 */
const MACHINES: Readonly<Record<GuestArch, { program: string; args: string; console: string }>> = {
  x86_64: { program: "qemu-system-x86_64", args: "-cpu max", console: "ttyS0" },
  aarch64: {
    program: "qemu-system-aarch64",
    args: "-M virt -cpu max,pauth-impdef=on",
    console: "ttyAMA0",
  },
};

/** A guest to boot. */
export interface Boot {
  readonly arch: GuestArch;
  /** Path of the kernel's image. */
  readonly kernel: string;
  /** Path of the image of its root. */
  readonly root: string;
  /** Where all that it says is written. */
  readonly log: string;
  /** Longest that it may run, in milliseconds. */
  readonly limitMs: number;
  /** Hears each report as it comes. */
  readonly onReport: (report: GuestReport) => void;
}

/** How a guest ended. */
export interface Ended {
  /** It came to its end; else it crashed, hung or was cut. */
  readonly whole: boolean;
  /** It crashed by a fault that is the emulator's ({@linkcode StaleBreakpoint}). */
  readonly isEmulatorsFault: boolean;
  readonly seconds: number;
  /** What it said last. */
  readonly last: readonly string[];
}

/**
 * Looks for a breakpoint in the kernel's own text that the kernel has taken out again. While it
 * changes a branch (attaching to a tracepoint does) it puts one there; a CPU that is emulated on a
 * thread of its own goes on with what it had translated, and runs into it once it is gone.
 */
export class StaleBreakpoint {
  #trapped = false;
  /** One was seen. */
  seen = false;

  /** @param line The next line of the console. */
  look(line: string): void {
    if (line.includes("Oops: int3:")) this.#trapped = true;
    const place = /RIP: 0010:(\S+)/.exec(line)?.[1];
    if (place === undefined || !this.#trapped) return;
    this.#trapped = false;
    // In a program of eBPF it would be ours: what surrounds such programs are breakpoints.
    this.seen ||= !place.startsWith("bpf_") && !place.startsWith("0x");
  }
}

/**
 * Whether this host can emulate an architecture.
 *
 * @param arch The guest's.
 * @returns Name of the missing program, or `undefined`.
 */
export async function missingEmulator(arch: GuestArch): Promise<string | undefined> {
  const { program } = MACHINES[arch];
  return await new Deno.Command(program, { args: ["--version"], stdout: "null" }).output()
    .then(() => undefined, () => program);
}

/**
 * Boots a guest, by emulation alone, and reads its serial port until it ends.
 *
 * @param boot What, and for how long.
 * @returns How it ended.
 */
export async function bootGuest(boot: Boot): Promise<Ended> {
  const { program, args, console } = MACHINES[boot.arch];
  const start = performance.now();
  const child = new Deno.Command(program, {
    args: [
      ...["-accel", "tcg,thread=multi", ...args.split(" "), "-m", String(MEMORY_MIB)],
      ...["-smp", String(CPUS), "-nodefaults", "-no-user-config", "-display", "none"],
      ...["-serial", "stdio", "-no-reboot", "-kernel", boot.kernel],
      ...["-drive", `file=${boot.root},if=none,id=disk,format=raw`],
      ...["-device", "nvme,drive=disk,serial=immune"],
      ...["-append", `console=${console} quiet panic=-1 lsm=${LSM} ${ROOT_ARGUMENTS}`],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), boot.limitMs);
  const last: string[] = [];
  const stale = new StaleBreakpoint();
  let whole = false;
  using log = await Deno.open(boot.log, { write: true, create: true, truncate: true });
  for await (const line of linesOf(child.stdout)) {
    log.writeSync(new TextEncoder().encode(`${line}\n`));
    const report = decodeReport(line);
    if (report === undefined) {
      stale.look(line);
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
      continue;
    }
    whole ||= report.type === "end";
    boot.onReport(report);
  }
  await child.status;
  clearTimeout(timer);
  const seconds = (performance.now() - start) / 1000;
  return { whole, isEmulatorsFault: !whole && stale.seen, seconds, last };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest;
}
