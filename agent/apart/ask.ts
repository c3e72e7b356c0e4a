import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { type ProgramModule, startWorker } from "../../common/config/program.ts";

/**
 * Longest that a Worker may take, in milliseconds: many times what the largest rule sets and lists of
 * indicators take on a host that is busy.
 */
export const APART_MS_MAX = 600_000;

/** From the Worker: that it listens, then the answer or why there is none. */
export type ApartReport<Answer> =
  | { readonly type: "listening" }
  | { readonly type: "answered"; readonly answer: Answer }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

/**
 * Asks a Worker that ends with its answer. The memory that this takes would otherwise stay with a
 * process that runs for months, and its time with the records that wait.
 *
 * @param program What the Worker runs.
 * @param question What it is asked.
 * @param options `limitMs`: how long it may take. Default {@linkcode APART_MS_MAX}.
 * @returns Its answer.
 * @throws {ImmuneError} what it failed with; `INTERNAL` when it broke, or took too long.
 */
// deno-lint-ignore immune/argument-count -- whom, what, and options
export async function askApart<Answer>(
  program: ProgramModule,
  question: unknown,
  { limitMs = APART_MS_MAX }: { readonly limitMs?: number } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const apart = startWorker(program);
  apart.onerror = (event) => {
    event.preventDefault();
    reject(new ImmuneError("INTERNAL", `Worker "${program.name}" broke: ${event.message}`));
  };
  apart.onmessage = ({ data }: MessageEvent<ApartReport<Answer>>) => {
    if (data.type === "listening") apart.postMessage(question);
    else if (data.type === "answered") resolve(data.answer);
    else reject(new ImmuneError(data.code as ErrorCode, data.message));
  };
  const late = setTimeout(() => {
    const hint = "what it was asked may be too large for this host";
    const message = `Worker "${program.name}" took over ${limitMs} ms: ${hint}`;
    reject(new ImmuneError("INTERNAL", message));
  }, limitMs);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    apart.terminate();
  }
}
