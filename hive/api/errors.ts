import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";

/**
 * An error as the answer says it. What is no operating error stays inside: its text goes to the
 * log, not out.
 *
 * @param error What was thrown.
 * @param log Where defects are told.
 * @returns The error that goes out.
 */
export function outwardError(error: unknown, log: (line: string) => void): ImmuneError {
  if (error instanceof ImmuneError) {
    if (error.status >= 500) log(error.message);
    return error;
  }
  if (error instanceof HTTPException && error.status < 500) {
    const code = BY_STATUS.get(error.status) ?? "INPUT_MALFORMED";
    return new ImmuneError(code, error.message || "Cannot take this request", { cause: error });
  }
  log(`A request failed: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
  return new ImmuneError("INTERNAL", "The hive failed on this request; its log says why", {
    cause: error,
  });
}

const BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [401, "AUTH_REQUIRED"],
  [403, "FORBIDDEN"],
  [404, "NOT_FOUND"],
  [413, "INPUT_MALFORMED"],
]);

/**
 * The JSON answer of an error.
 *
 * @param c The request.
 * @param error What went wrong.
 */
export function errorAnswer(c: Context, error: ImmuneError): Response {
  const { code, message } = error;
  if (error.status === 401) c.header("WWW-Authenticate", 'Bearer realm="immune"');
  return c.json({ error: { code, message } }, error.status as ContentfulStatusCode);
}
