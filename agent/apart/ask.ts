import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { type ProgramModule, startWorker } from "../../common/config/program.ts";

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
 * @returns Its answer.
 * @throws {ImmuneError} what it failed with; `INTERNAL` when it broke.
 */
export async function askApart<Answer>(
  program: ProgramModule,
  question: unknown,
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
  try {
    return await promise;
  } finally {
    apart.terminate();
  }
}
