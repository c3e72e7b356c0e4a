import type { ProgramReport } from "../../build/programs.ts";
import { PrivateApt, Unreachable } from "./apt.ts";
import { writeImage } from "./image.ts";
import type { Job } from "./job.ts";
import type { Kernel } from "./kernels.ts";
import { bootGuest, missingEmulator } from "./machine.ts";
import type { GuestReport, GuestTest } from "./report.ts";

/** Folder of what is fetched and made, kept between runs. */
export const FOLDER: string = new URL("../../out/kernels", import.meta.url).pathname;

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

/**
 * Fetches a kernel, boots it with the built sensor, and runs a job inside.
 *
 * @param kernel Which one.
 * @param options Job and limits.
 * @returns What it came to; never throws for what is the guest's fault.
 */
export async function runKernel(kernel: Kernel, options: RunOptions): Promise<KernelResult> {
  const empty = { kernel: kernel.name, arch: kernel.arch, release: "", lsm: "", seconds: 0 };
  const step = options.onStep ?? (() => undefined);
  const missing = await missingEmulator(kernel.arch);
  if (missing !== undefined) {
    return { ...empty, programs: [], tests: [], skipped: `there is no ${missing} on this host` };
  }
  let image: string;
  try {
    step("fetches the kernel");
    image = await fetchKernel(kernel);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return { ...empty, programs: [], tests: [], skipped: error.message };
  }
  step("makes the root");
  const root = `${FOLDER}/root-${kernel.name}.img`;
  await writeImage(root, options.job);
  const result = await watch(kernel, { ...options, image, root });
  await Deno.remove(root);
  return result;
}

async function watch(
  kernel: Kernel,
  options: RunOptions & { readonly image: string; readonly root: string },
): Promise<KernelResult> {
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
  const { whole, seconds, last } = await bootGuest({
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
    ...(whole ? {} : { broken: `It did not come to its end; its last lines:\n${last.join("\n")}` }),
  };
}

/** Path of a kernel's image, fetched and unpacked once. */
async function fetchKernel(kernel: Kernel): Promise<string> {
  const { archive, name } = kernel.suite;
  const apt = await PrivateApt.open({
    folder: `${FOLDER}/apt-${kernel.arch}-${archive}-${name}`,
    arch: kernel.arch,
    suites: [kernel.suite],
  });
  const found = await apt.find(kernel.package);
  const path = `${FOLDER}/vmlinuz-${found}`;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  const unpacked = `${FOLDER}/unpacked-${found}`;
  await Deno.mkdir(unpacked, { recursive: true });
  await unpack(await apt.fetch(found), unpacked);
  await Deno.rename(imageIn(unpacked), path);
  await Deno.remove(unpacked, { recursive: true });
  return path;
}

async function unpack(file: string, folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("dpkg-deb", {
    args: ["--extract", file, folder],
  }).output();
  if (!success) throw new Unreachable(new TextDecoder().decode(stderr).trim());
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
