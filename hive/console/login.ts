import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import * as z from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import { LOGIN_PATH } from "../api/paths.ts";
import { can } from "../operators/mod.ts";
import { formOf } from "./form.ts";
import { loginPage } from "./login_page.tsx";
import { addOidc, OIDC_PATH } from "./oidc.ts";
import { endSession, sourceOf, startSession } from "./session_cookie.ts";
import { welcomePage } from "./welcome_page.tsx";

type Answer = Response | Promise<Response>;

const codeForm = z.object({ code: z.string().max(400) });
const passwordForm = z.object({
  name: z.string().max(200),
  password: z.string().max(2000),
  totp: z.string().max(100).default(""),
});

/**
 * Adds the routes that sign a person in and out.
 *
 * @param app Where to.
 * @param api Who may.
 */
export function addLogin(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { operators } = api;
  app.get(LOGIN_PATH, (c) => {
    const code = c.req.query("code");
    if (code === undefined) {
      if (can(c.get("principal"), "read", "console")) return c.redirect("/", 303);
      return c.html(loginPage({ oidcPath: oidcPathOf(api) }));
    }
    // A link works once: what only looks ahead must not use it up.
    if (c.req.method === "HEAD" || isLookAhead(c)) return c.body(null, 204);
    return enter(c, api, {
      signIn: () => operators.signIn(code, sourceOf(c)),
      done: () => isForeign(c) ? c.html(welcomePage()) : c.redirect("/", 303),
    });
  });
  app.post(LOGIN_PATH, allow("create", "login"), (c) =>
    enter(c, api, {
      signIn: async () => {
        const { code } = await formOf(c, codeForm);
        return await operators.signIn(code.trim(), sourceOf(c));
      },
      done: () => c.redirect("/", 303),
    }));
  app.post(`${LOGIN_PATH}/password`, allow("create", "login"), (c) =>
    enter(c, api, {
      signIn: async () => {
        const { name, password, totp: code } = await formOf(c, passwordForm);
        const login = { name: name.trim().toLowerCase(), password, code };
        return await operators.signInByPassword(login, sourceOf(c));
      },
      done: () => c.redirect("/", 303),
    }));
  addOidc(app, api);
  app.post("/logout", allow("end", "session"), (c) => {
    endSession(c, api);
    return c.redirect(LOGIN_PATH, 303);
  });
}

/**
 * Signs a person in, or says on the login page why not.
 *
 * @param c The request.
 * @param api Who may.
 * @param options `signIn`: gives the new session; `done`: the answer then.
 */
export async function enter(
  c: Context<ApiEnv>,
  api: ApiContext,
  options: { readonly signIn: () => Promise<string>; readonly done: () => Answer },
): Promise<Response> {
  try {
    await startSession(c, api, { session: await options.signIn() });
    return await options.done();
  } catch (error) {
    if (!(error instanceof ImmuneError) || error.status >= 500) throw error;
    if (!(c.req.header("Accept") ?? "").includes("text/html")) throw error;
    const html = loginPage({ problem: error.message, oidcPath: oidcPathOf(api) });
    return c.html(html, error.status === 429 ? 429 : 401);
  }
}

function oidcPathOf(api: ApiContext): string | undefined {
  return api.operators.oidc === undefined ? undefined : OIDC_PATH;
}

/** From a page of elsewhere a redirect would come without the strict cookie that was just set. */
function isForeign(c: Context<ApiEnv>): boolean {
  const site = c.req.header("Sec-Fetch-Site");
  return site === "cross-site" || site === "same-site";
}

function isLookAhead(c: Context<ApiEnv>): boolean {
  const purpose = c.req.header("Sec-Purpose") ?? c.req.header("Purpose") ?? "";
  return /prefetch|prerender|preview/i.test(purpose);
}
