import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { isTls, SESSION_COOKIE, SESSION_COOKIE_TLS, sessionOf, tellWho } from "../api/guards.ts";
import { SESSION_MS } from "../operators/mod.ts";

/**
 * Gives a browser its new session. The one that it had ends: nothing that was known before somebody
 * signed in opens anything afterwards.
 *
 * @param c The request.
 * @param api Says whether a proxy ends TLS.
 * @param options `session`: its secret.
 */
export async function startSession(
  c: Context<ApiEnv>,
  api: ApiContext,
  options: { readonly session: string },
): Promise<void> {
  api.operators.signOut(sessionOf(c, api) ?? "");
  putCookie(c, { api, value: options.session, maxAge: SESSION_MS / 1000 });
  // Not from the next request on alone: others would end the connection before.
  tellWho(c, await api.operators.principal({ authorization: undefined, ...options }));
}

/**
 * Ends a browser's session.
 *
 * @param c The request.
 * @param api Says whether a proxy ends TLS.
 */
export function endSession(c: Context<ApiEnv>, api: ApiContext): void {
  api.operators.signOut(sessionOf(c, api) ?? "");
  putCookie(c, { api, value: "", maxAge: 0 });
}

/**
 * Address of a browser, as far as the connection tells it.
 *
 * @param c The request.
 */
export function sourceOf(c: Context<ApiEnv>): string {
  return c.env?.remoteAddr?.hostname ?? "unknown";
}

function putCookie(c: Context<ApiEnv>, { api, value, maxAge }: {
  readonly api: ApiContext;
  readonly value: string;
  /** Seconds. */
  readonly maxAge: number;
}): void {
  const secure = isTls(c, api);
  setCookie(c, secure ? SESSION_COOKIE_TLS : SESSION_COOKIE, value, {
    httpOnly: true,
    sameSite: "Strict",
    secure,
    path: "/",
    maxAge,
  });
}
