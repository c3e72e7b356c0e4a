import type { ImmuneError } from "../../common/config/errors.ts";
import { RETRY_AFTER_S } from "./bounds.ts";

/** Options of {@linkcode errorAnswer}. */
export interface ErrorAnswerOptions {
  /** HTTP status. Default: that of the error's code. */
  readonly status?: number;
  /** With `BATCH_GAP`: the first position that would be taken. */
  readonly expected?: number;
}

/**
 * An error as an agent gets it (`errorSchema` of common/link).
 *
 * @param error What went wrong.
 * @param options Status and position.
 * @returns The answer; one that asks for patience carries `Retry-After`.
 */
export function errorAnswer(error: ImmuneError, options: ErrorAnswerOptions = {}): Response {
  const { code, message, status: usual } = error;
  const { status = usual, expected } = options;
  const body = { error: { code, message, ...(expected === undefined ? {} : { expected }) } };
  const headers: Record<string, string> = { "Cache-Control": "no-store" };
  if (status === 429 || status >= 503) headers["Retry-After"] = String(RETRY_AFTER_S);
  return Response.json(body, { status, headers });
}
