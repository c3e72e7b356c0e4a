import { Random } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import type { FuzzSubject, FuzzTarget } from "./target.ts";

const FOLDER = new URL("./targets/", import.meta.url);
/** Longest that one input may take, in milliseconds. */
export const INPUT_MS_MAX = 2000;
/** Times that an input has to take so long: a host may stand still meanwhile. */
const TRIES = 3;
/** Between two reports of progress, in inputs. */
const PROGRESS_INPUTS = 256;

/** How a target is fuzzed. */
export interface FuzzOptions {
  /** Inputs besides the good ones. */
  readonly inputs: number;
  /** Decides every input; not 0. */
  readonly seed: number;
  /** Told now and then how many inputs were taken. Default: nobody. */
  readonly onProgress?: (inputs: number) => void;
}

/** What was found. */
export interface FuzzFinding {
  /** Number of the input: the same seed makes it again. */
  readonly number: number;
  readonly problem: string;
  /** The input, in base64. */
  readonly input: string;
}

/** Names of all targets. */
export function targetNames(): string[] {
  return [...Deno.readDirSync(FOLDER)]
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".ts") && !name.startsWith("_"))
    .map((name) => name.slice(0, -".ts".length))
    .sort();
}

/**
 * A target by its name.
 *
 * @param name As in `targetNames`.
 */
export async function targetNamed(name: string): Promise<FuzzTarget> {
  const { target } = await import(new URL(`${name}.ts`, FOLDER).href);
  return target as FuzzTarget;
}

/**
 * Feeds a target until something is wrong or all inputs were taken.
 *
 * @param target What to feed.
 * @param options How much.
 * @returns The first finding, or `undefined`.
 */
export async function fuzz(
  target: FuzzTarget,
  options: FuzzOptions,
): Promise<FuzzFinding | undefined> {
  await using subject = await target.open();
  for (const [number, seed] of subject.seeds.entries()) {
    const found = await fed(subject, {
      input: new Uint8Array(seed),
      number: number - subject.seeds.length,
    });
    if (found !== undefined) return found;
  }
  const random = new Random(options.seed);
  for (let number = 0; number < options.inputs; number++) {
    const found = await fed(subject, { input: mutate(subject.seeds, random), number });
    if (found !== undefined) return found;
    if (number % PROGRESS_INPUTS === 0) options.onProgress?.(number);
  }
  return undefined;
}

async function fed(
  subject: FuzzSubject,
  { input, number }: { readonly input: Uint8Array<ArrayBuffer>; readonly number: number },
): Promise<FuzzFinding | undefined> {
  const text = input.toBase64();
  let { problem, ms } = await tried(subject, input);
  for (let i = 1; problem === undefined && ms > INPUT_MS_MAX; i++) {
    if (i === TRIES) problem = `it took ${Math.round(ms)} ms`;
    else ({ problem, ms } = await tried(subject, Uint8Array.fromBase64(text)));
  }
  return problem === undefined ? undefined : { number, problem, input: text };
}

async function tried(
  subject: FuzzSubject,
  input: Uint8Array<ArrayBuffer>,
): Promise<{ readonly problem: string | undefined; readonly ms: number }> {
  const start = performance.now();
  let problem: string | undefined;
  try {
    problem = await subject.feed(input);
  } catch (error) {
    problem = `it threw ${error instanceof Error ? error.stack ?? error.message : String(error)}`;
  }
  return { problem, ms: performance.now() - start };
}
