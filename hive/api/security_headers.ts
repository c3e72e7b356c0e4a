import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { ApiContext, ApiEnv } from "./context.ts";
import { isTls } from "./guards.ts";

/** Only files of this hive, nothing inline, nothing embedded. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  // Not no-referrer: browsers would then send "Origin: null" with our own forms.
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

/**
 * Puts security headers on every answer; what does not say otherwise is kept by no cache.
 *
 * @param api Says whether a proxy ends TLS.
 */
export function securityHeaders(api: ApiContext): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
    if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
    if (isTls(c, api)) c.res.headers.set("Strict-Transport-Security", "max-age=31536000");
  });
}
