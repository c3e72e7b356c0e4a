// Runs inside a virtual machine, started by /init: which programs the kernel takes, then the tests
// of the job; each result is a line on the serial port (tests/kernels/report.ts).

import { encodeReport, type GuestReport, type GuestTest } from "../report.ts";
import { GUEST_PROGRAMS, GUEST_ROOT, type Job, JOB_PATH } from "../job.ts";
import { casesOf } from "../../../build/junit.ts";
import { parsePrograms } from "../../../build/programs.ts";

/** Longest that one live test may take here, in milliseconds: an emulated CPU is slow. */
const LIVE_MS_MAX = 900_000;
/** Longest that one test file may take, in milliseconds. */
const FILE_MS_MAX = 1_800_000;
/** What is kept of the words of a test that failed, in characters. */
const DETAIL_CHARS_MAX = 1500;
/** Exit code of a live test that the kernel has nothing for (SKIPPED of harness_test.h). */
const LIVE_SKIPPED = 77;
const JUNIT = "/tmp/junit.xml";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function say(report: GuestReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(encodeReport(report)));
}

function tell(test: GuestTest): void {
  say({ type: "test", test });
}

async function run(command: string, args: readonly string[], ms: number): Promise<Outcome> {
  const signal = AbortSignal.timeout(ms);
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: GUEST_ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
  // The console has it at once: of a guest that hangs or is ended, this is what is left.
  const [stdout, stderr, { code }] = await Promise.all([
    shown(child.stdout),
    shown(child.stderr),
    child.status,
  ]);
  const cut = signal.aborted ? `\nStopped after ${ms / 1000} s` : "";
  return { code, stdout, stderr: stderr + cut };
}

/** The text of a stream, which is written to the console while it comes. */
async function shown(stream: ReadableStream<BufferSource>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    Deno.stdout.writeSync(new TextEncoder().encode(part));
    text += part;
  }
  return text;
}

function detailOf({ stdout, stderr }: Outcome): string {
  // deno-lint-ignore no-control-regex
  const text = `${stdout}${stderr}`.trim().replaceAll(/\x1b\[[0-9;]*m/g, "");
  return text.length <= DETAIL_CHARS_MAX ? text : `... ${text.slice(-DETAIL_CHARS_MAX)}`;
}

async function runLive(wanted: readonly string[] | undefined): Promise<void> {
  const program = `${GUEST_PROGRAMS}/sensor_test`;
  const all = (await run(program, [], LIVE_MS_MAX)).stdout.trim().split("\n");
  for (const name of wanted ?? all) {
    const outcome = await run(program, [name], LIVE_MS_MAX);
    if (outcome.code === 0) {
      tell({ name: `live: ${name}`, state: "passed" });
      continue;
    }
    const state = outcome.code === LIVE_SKIPPED ? "skipped" : "failed";
    tell({ name: `live: ${name}`, state, detail: detailOf(outcome) });
  }
}

async function runFile(file: string): Promise<void> {
  await Deno.remove(JUNIT).catch(() => undefined);
  const outcome = await run(Deno.execPath(), [
    ..."test -A --quiet --no-check --no-lock --cached-only".split(" "),
    `--junit-path=${JUNIT}`,
    file,
  ], FILE_MS_MAX);
  const cases = casesOf(await Deno.readTextFile(JUNIT).catch(() => ""));
  for (const { name, state, detail } of cases) {
    tell({ name, state, ...(detail === "" ? {} : { detail: detail.slice(0, DETAIL_CHARS_MAX) }) });
  }
  // A file that did not come to its end, or failed outside of its tests.
  const seen = cases.some(({ state }) => state === "failed");
  if (outcome.code !== 0 && !seen) {
    tell({ name: file, state: "failed", detail: detailOf(outcome) });
  }
}

async function main(): Promise<void> {
  const job: Job = JSON.parse(await Deno.readTextFile(JOB_PATH));
  for (const [name, value] of Object.entries(job.variables ?? {})) Deno.env.set(name, value);
  const lsm = await Deno.readTextFile("/sys/kernel/security/lsm").catch(() => "");
  say({ type: "begin", release: Deno.osRelease(), lsm: lsm.trim() });
  const loads = await run(`${GUEST_PROGRAMS}/report`, [], LIVE_MS_MAX);
  for (const program of parsePrograms(loads.stdout)) say({ type: "program", program });
  if (loads.code !== 0) {
    tell({ name: "report of programs", state: "failed", detail: detailOf(loads) });
  }
  await runLive(job.live);
  for (const file of job.files) await runFile(file);
  say({ type: "end" });
}

if (import.meta.main) await main();
