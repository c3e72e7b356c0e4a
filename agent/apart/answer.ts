import { ImmuneError } from "../../common/config/errors.ts";
import type { ApartReport } from "./ask.ts";

/**
 * The Worker's side of `askApart`: takes one question and answers once.
 *
 * @param answer Finds the answer; what it throws is reported.
 */
export function answerApart<Question, Answer>(
  answer: (question: Question) => Answer | Promise<Answer>,
): void {
  self.onmessage = async ({ data }: MessageEvent<Question>) => {
    report(await reportOf(() => answer(data)));
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

async function reportOf<Answer>(
  answer: () => Answer | Promise<Answer>,
): Promise<ApartReport<Answer>> {
  try {
    return { type: "answered", answer: await answer() };
  } catch (error) {
    return {
      type: "failed",
      code: error instanceof ImmuneError ? error.code : "INTERNAL",
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

function report(message: ApartReport<unknown>): void {
  // deno-lint-ignore no-explicit-any -- the worker's own global scope, which lib "deno.window" hides
  (self as any).postMessage(message);
}
