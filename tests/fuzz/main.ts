// deno task test:fuzz [TARGET...] [--inputs N] [--seed S]: feeds damaged input to everything that
// takes input from outside, each target in a Worker of its own, so that one that hangs is seen.

import { fuzz, type FuzzFinding, targetNamed, targetNames } from "./run.ts";

/** Inputs of each target unless told otherwise. */
const INPUTS = 1_000_000;
/** Unless told otherwise. */
const SEED = 20_260_101;
/** A target that takes no input for so long hangs, in milliseconds. */
const SILENCE_MS_MAX = 60_000;

interface Job {
  readonly name: string;
  readonly inputs: number;
  readonly seed: number;
}

type Report =
  | { readonly type: "listening" }
  | { readonly type: "progress" }
  | { readonly type: "done"; readonly finding: FuzzFinding | undefined };

function serve(): void {
  const report = (message: Report): void =>
    (self as unknown as { postMessage(message: Report): void }).postMessage(message);
  self.onmessage = async ({ data: { name, inputs, seed } }: MessageEvent<Job>) => {
    const onProgress = (): void => report({ type: "progress" });
    const finding = await fuzz(await targetNamed(name), { inputs, seed, onProgress });
    report({ type: "done", finding });
  };
  report({ type: "listening" });
}

/** Runs one target; resolves with what is wrong, or `undefined`. */
async function runTarget(job: Job): Promise<string | undefined> {
  const worker = new Worker(import.meta.url, { type: "module", name: "fuzz" });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let silence: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(
      () => resolve(`it hangs: silent for ${SILENCE_MS_MAX} ms`),
      SILENCE_MS_MAX,
    );
  };
  worker.onerror = (event) => {
    event.preventDefault();
    resolve(`it ended its Worker: ${event.message}`);
  };
  worker.onmessage = ({ data }: MessageEvent<Report>) => {
    heard();
    if (data.type === "listening") worker.postMessage(job);
    else if (data.type === "done") resolve(data.finding && describe(data.finding));
  };
  heard();
  const problem = await promise;
  clearTimeout(silence);
  worker.terminate();
  return problem;
}

function describe({ number, problem, input }: FuzzFinding): string {
  return `input ${number}: ${problem}\n  in base64: ${input}`;
}

async function main(args: readonly string[]): Promise<number> {
  const number = (flag: string, fallback: number): number => {
    const at = args.indexOf(flag);
    return at < 0 ? fallback : Number(args[at + 1]);
  };
  const [inputs, seed] = [number("--inputs", INPUTS), number("--seed", SEED)];
  const all = targetNames();
  const wanted = args.filter((arg, i) => !arg.startsWith("-") && !args[i - 1]?.startsWith("--"));
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined || !(inputs >= 1) || !(seed >= 1)) {
    console.error(`Cannot run this: targets are ${all.join(", ")}; --inputs and --seed from 1`);
    return 2;
  }
  let failed = 0;
  for (const name of wanted.length > 0 ? wanted : all) {
    const start = performance.now();
    const problem = await runTarget({ name, inputs, seed });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${name}: ${inputs} inputs, seed ${seed}, ${seconds} s: ${problem ?? "none wrong"}`,
    );
    if (problem !== undefined) failed++;
  }
  return failed > 0 ? 1 : 0;
}

if (self.name === "fuzz") serve();
else if (import.meta.main) Deno.exit(await main(Deno.args));
