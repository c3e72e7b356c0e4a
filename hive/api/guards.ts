import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  type Action,
  actorOf,
  type ApiObject,
  can,
  type Principal,
  roleOf,
} from "../operators/mod.ts";
import type { ApiContext, ApiEnv } from "./context.ts";

/** The session's cookie over plain loopback HTTP. */
export const SESSION_COOKIE = "immune_session";
/** The same over TLS; the prefix binds it to this host and to TLS (RFC 6265bis, 4.1.3). */
export const SESSION_COOKIE_TLS = `__Host-${SESSION_COOKIE}`;

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Whether a request came over TLS.
 *
 * @param c The request.
 * @param api Says whether a proxy ends TLS.
 */
export function isTls(c: Context<ApiEnv>, api: ApiContext): boolean {
  return api.behindTls || new URL(c.req.url).protocol === "https:";
}

/**
 * The session that a request brings along.
 *
 * @param c The request.
 * @param api Says whether a proxy ends TLS.
 * @returns Value of its cookie.
 */
export function sessionOf(c: Context<ApiEnv>, api: ApiContext): string | undefined {
  return getCookie(c, isTls(c, api) ? SESSION_COOKIE_TLS : SESSION_COOKIE);
}

/**
 * Finds out who sends a request, and refuses what a foreign page makes a browser send.
 *
 * @param api Who there is.
 */
export function identify(api: ApiContext): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const principal = await api.operators.principal({
      authorization: c.req.header("Authorization"),
      session: sessionOf(c, api),
      // A page that renews itself is no sign of a person.
      isActive: c.req.header("HX-Request") === undefined,
    }).catch((error: unknown) => {
      tellWho(c, { kind: "anonymous" });
      throw error;
    });
    tellWho(c, principal);
    // A token is put into a request on purpose; a cookie goes along by itself.
    const isOnPurpose = principal.kind === "token" || principal.kind === "api_token";
    if (!isOnPurpose && !SAFE_METHODS.has(c.req.method)) checkOrigin(c);
    c.set("principal", principal);
    c.set("operators", api.operators);
    await next();
  });
}

/**
 * Tells the server whose the request's connection is.
 *
 * @param c The request.
 * @param principal Who asks.
 */
export function tellWho(c: Context<ApiEnv>, principal: Principal): void {
  c.env?.askedBy?.(principal.kind === "anonymous" ? undefined : actorOf(principal).id);
}

/**
 * Lets a request through when its principal may.
 *
 * @param action What is asked for.
 * @param object Of what.
 */
export function allow(action: Action, object: ApiObject): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const principal = c.get("principal");
    if (!can(principal, action, object)) {
      if (principal.kind === "anonymous") {
        throw new ImmuneError(
          "AUTH_REQUIRED",
          'Sign in first, or send "Authorization: Bearer" with the text of operator.token',
        );
      }
      await c.get("operators").recordRefusal(principal, `${object}.${action}`);
      const who = `${roleOf(principal)} by ${words(principal.kind)}`;
      throw new ImmuneError("FORBIDDEN", `A ${who} may not ${action} "${words(object)}"`);
    }
    await next();
  });
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

function checkOrigin(c: Context<ApiEnv>): void {
  const origin = c.req.header("Origin");
  const isOurs = origin === undefined
    ? c.req.header("Sec-Fetch-Site") === "same-origin"
    : hostOf(origin) === new URL(c.req.url).host;
  if (!isOurs) {
    throw new ImmuneError(
      "FORBIDDEN",
      `Cannot take this ${c.req.method}: it does not come from a page of this hive`,
    );
  }
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
