import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow, isTls, SESSION_COOKIE, SESSION_COOKIE_TLS, sessionOf } from "../api/guards.ts";
import { LOGIN_PATH } from "../api/paths.ts";
import { can, SESSION_MS } from "../operators/mod.ts";
import { loginPage } from "./login_page.tsx";
import { welcomePage } from "./welcome_page.tsx";

/**
 * Adds the routes that sign a person in and out.
 *
 * @param app Where to.
 * @param api Who may.
 */
export function addLogin(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.get(LOGIN_PATH, (c) => {
    const code = c.req.query("code");
    if (code === undefined) {
      if (can(c.get("principal"), "read", "console")) return c.redirect("/", 303);
      return c.html(loginPage());
    }
    // A link works once: what only looks ahead must not use it up.
    if (c.req.method === "HEAD" || isLookAhead(c)) return c.body(null, 204);
    return signIn(c, { api, code, done: () => enter(c) });
  });
  app.post(LOGIN_PATH, async (c) => {
    const { code } = await c.req.parseBody();
    return signIn(c, {
      api,
      code: typeof code === "string" ? code.trim() : "",
      done: () => c.redirect("/", 303),
    });
  });
  app.post("/logout", allow("end", "session"), (c) => {
    api.operators.signOut(sessionOf(c, api) ?? "");
    putCookie(c, { api, value: "", maxAge: 0 });
    return c.redirect(LOGIN_PATH, 303);
  });
}

type Answer = Response | Promise<Response>;

async function signIn(c: Context<ApiEnv>, { api, code, done }: {
  readonly api: ApiContext;
  readonly code: string;
  readonly done: () => Answer;
}): Promise<Response> {
  try {
    const source = c.env?.remoteAddr?.hostname ?? "unknown";
    const session = await api.operators.signIn(code, source);
    putCookie(c, { api, value: session, maxAge: SESSION_MS / 1000 });
    return done();
  } catch (error) {
    if (!(error instanceof ImmuneError)) throw error;
    if (!(c.req.header("Accept") ?? "").includes("text/html")) throw error;
    return c.html(loginPage(error.message), error.status === 429 ? 429 : 401);
  }
}

/** From a page of elsewhere a redirect would come without the strict cookie that was just set. */
function enter(c: Context<ApiEnv>): Answer {
  const site = c.req.header("Sec-Fetch-Site");
  const isForeign = site === "cross-site" || site === "same-site";
  return isForeign ? c.html(welcomePage()) : c.redirect("/", 303);
}

function isLookAhead(c: Context<ApiEnv>): boolean {
  const purpose = c.req.header("Sec-Purpose") ?? c.req.header("Purpose") ?? "";
  return /prefetch|prerender|preview/i.test(purpose);
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
