import type { OpenAPIHono } from "@hono/zod-openapi";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow, isTls } from "../api/guards.ts";
import { LOGIN_PATH } from "../api/paths.ts";
import { OIDC_FLOW_MS } from "../operators/mod.ts";
import { enter } from "./login.ts";
import { sourceOf } from "./session_cookie.ts";
import { siteOf } from "./site.ts";
import { welcomePage } from "./welcome_page.tsx";

/** Where signing in by a provider begins. */
export const OIDC_PATH = `${LOGIN_PATH}/oidc`;
/** Where the provider sends a browser back to. */
export const OIDC_CALLBACK_PATH = `${OIDC_PATH}/callback`;
/** Cookie that knows a browser again; the provider's page leads back, so it cannot be strict. */
const COOKIE = "immune_oidc";

/**
 * Adds the routes that sign in by an OpenID provider; none where there is none.
 *
 * @param app Where to.
 * @param api Who may.
 */
export function addOidc(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { oidc } = api.operators;
  if (oidc === undefined) return;
  // No form: the content policy would not let one lead to another site.
  app.get(OIDC_PATH, allow("create", "login"), async (c) => {
    const { origin } = siteOf(c, api);
    const { location, browser } = await oidc.begin(`${origin}${OIDC_CALLBACK_PATH}`);
    setCookie(c, COOKIE, browser, {
      httpOnly: true,
      sameSite: "Lax",
      secure: isTls(c, api),
      path: OIDC_PATH,
      maxAge: OIDC_FLOW_MS / 1000,
    });
    return c.redirect(location, 303);
  });
  app.get(OIDC_CALLBACK_PATH, allow("create", "login"), (c) => {
    const browser = getCookie(c, COOKIE);
    deleteCookie(c, COOKIE, { path: OIDC_PATH });
    const { search } = new URL(c.req.url);
    if (search === "") throw new ImmuneError("INPUT_MALFORMED", "Cannot sign in: no answer came");
    return enter(c, api, {
      signIn: () => oidc.finish(search, { browser, source: sourceOf(c) }),
      // A redirect of ours would still come from the provider's page, without the strict cookie.
      done: () => c.html(welcomePage()),
    });
  });
}
