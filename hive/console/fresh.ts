import type { Context } from "hono";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiEnv } from "../api/context.ts";

/**
 * What opens an account is changed only by someone who has just signed in.
 *
 * @param c The request.
 * @throws {ImmuneError} `FORBIDDEN` when that was a while ago.
 */
export function checkFresh(c: Context<ApiEnv>): void {
  const principal = c.get("principal");
  if (principal.kind === "session" && principal.isFresh) return;
  const message = "You signed in a while ago: sign out and in again, then change your account";
  throw new ImmuneError("FORBIDDEN", message);
}
