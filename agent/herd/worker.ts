import { answerApart } from "../apart/answer.ts";
import { takeAntibodies } from "./take.ts";

/** The Worker's side: takes the request, and answers once. */
export function serveHerd(): void {
  answerApart(takeAntibodies);
}
