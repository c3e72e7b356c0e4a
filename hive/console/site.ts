import type { Context } from "hono";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { isTls } from "../api/guards.ts";

/**
 * Where a browser is, as its request tells.
 *
 * @param c The request.
 * @param api Says whether a proxy ends TLS.
 */
export function siteOf(
  c: Context<ApiEnv>,
  api: ApiContext,
): { readonly origin: string; readonly host: string } {
  const url = new URL(c.req.url);
  return {
    origin: `${isTls(c, api) ? "https" : "http"}://${url.host}`,
    host: url.hostname,
  };
}
