import type { ProgramReport } from "../../build/programs.ts";
import { Unreachable } from "./apt.ts";
import { FOLDER, obtainKernel } from "./fetch.ts";
import { writeImage } from "./image.ts";
import type { Job } from "./job.ts";
import type { Kernel } from "./kernels.ts";
import { bootGuest } from "./machine.ts";
import type { GuestReport, GuestTest } from "./report.ts";
import { guestSystem } from "./system.ts";

/** What one kernel came to. */
export interface KernelResult {
  readonly kernel: string;
  readonly arch: string;
  /** What it calls itself; empty when it did not boot. */
  readonly release: string;
  /** Security modules that it runs. */
  readonly lsm: string;
  readonly programs: readonly ProgramReport[];
  readonly tests: readonly GuestTest[];
  /** From the start of the emulator to its end. */
  readonly seconds: number;
  /** Why it was not booted at all: a fact of this host or its mirror. */
  readonly skipped?: string;
  /** Why what it says is not whole: it crashed or hung, and its last lines. */
  readonly broken?: string;
}

/** How a kernel is run. */
export interface RunOptions {
  readonly job: Job;
  /** Longest that the guest may run, in milliseconds. */
  readonly limitMs: number;
  /** Hears of each step, for a person that waits. */
  readonly onStep?: (text: string) => void;
}

/** Times that a guest is booted which the emulator's own fault ends. */
const BOOTS_MAX = 3;

/** A result, and whether the emulator is to blame for it. */
type Run = KernelResult & { readonly isEmulatorsFault?: boolean };

/**
 * Fetches a kernel, boots it with the built sensor, and runs a job inside.
 *
 * @param kernel Which one.
 * @param options Job and limits.
 * @returns What it came to; never throws for what is the guest's fault.
 */
export async function runKernel(kernel: Kernel, options: RunOptions): Promise<KernelResult> {
  for (let boot = 1;; boot++) {
    const { isEmulatorsFault, ...result } = await runOnce(kernel, options);
    if (isEmulatorsFault !== true || boot === BOOTS_MAX) return result;
    options.onStep?.(`once more: the emulator ran into a breakpoint that was gone (boot ${boot})`);
  }
}

async function runOnce(kernel: Kernel, options: RunOptions): Promise<Run> {
  const empty = { kernel: kernel.name, arch: kernel.arch, release: "", lsm: "", seconds: 0 };
  const step = options.onStep ?? (() => undefined);
  step("fetches the kernel");
  const { image, missing } = await obtainKernel(kernel);
  if (image === undefined) return { ...empty, programs: [], tests: [], skipped: missing };
  const root = `${FOLDER}/root-${kernel.name}.img`;
  try {
    step("builds the sensor");
    const system = await guestSystem(kernel.arch, image);
    step("makes the root");
    await writeImage(root, { system, job: options.job });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const why = error instanceof Unreachable ? { skipped: message } : { broken: message };
    return { ...empty, programs: [], tests: [], ...why };
  }
  const result = await watch(kernel, { ...options, image, root });
  await Deno.remove(root);
  return result;
}

async function watch(
  kernel: Kernel,
  options: RunOptions & Readonly<Record<"image" | "root", string>>,
): Promise<Run> {
  const programs: ProgramReport[] = [];
  const tests: GuestTest[] = [];
  let begin = { release: "", lsm: "" };
  const step = options.onStep ?? (() => undefined);
  const onReport = (report: GuestReport): void => {
    if (report.type === "begin") begin = report;
    else if (report.type === "program") programs.push(report.program);
    else if (report.type === "test") {
      tests.push(report.test);
      step(`${report.test.state}: ${report.test.name}`);
    }
  };
  step("boots");
  const { whole, isEmulatorsFault, seconds, last } = await bootGuest({
    arch: kernel.arch,
    kernel: options.image,
    root: options.root,
    log: `${FOLDER}/${kernel.name}.log`,
    limitMs: options.limitMs,
    onReport,
  });
  return {
    kernel: kernel.name,
    arch: kernel.arch,
    release: begin.release,
    lsm: begin.lsm,
    programs,
    tests,
    seconds,
    isEmulatorsFault,
    ...(whole ? {} : { broken: `It did not come to its end; its last lines:\n${last.join("\n")}` }),
  };
}
