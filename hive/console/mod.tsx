import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import { knownAlert } from "../api/handlers.ts";
import { LOGIN_PATH } from "../api/paths.ts";
import { processTree } from "../api/process_tree.ts";
import { alertPage } from "./alert_page.tsx";
import { assetAt, ASSETS_PATH } from "./assets.ts";
import { addAccount } from "./account.ts";
import { addApprovalsPage } from "./approvals.tsx";
import { addAuditPage } from "./audit.tsx";
import { addDirectivesPages } from "./directives.tsx";
import { addKillSwitchPage } from "./kill_switch.tsx";
import { addLogin } from "./login.ts";
import { LiveOverview, Overview, overview, OVERVIEW_PATH } from "./overview.tsx";
import { messagePage } from "./message_page.tsx";
import { page } from "./page.tsx";
import { addUsersPage } from "./users.tsx";

/** How long a browser may keep an asset, in seconds: its path changes with it. */
const ASSET_MAX_AGE_S = 31_536_000;

/**
 * Adds the console's pages.
 *
 * @param app Where to.
 * @param api What they show.
 */
export function addConsole(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.get(`${ASSETS_PATH}/:name`, (c) => {
    const asset = assetAt(c.req.path);
    if (asset === undefined) {
      throw new ImmuneError("NOT_FOUND", `Cannot find "${c.req.path}": no such file`);
    }
    return c.body(asset.text, 200, {
      "Content-Type": asset.type,
      "Cache-Control": `public, max-age=${ASSET_MAX_AGE_S}, immutable`,
    });
  });
  addLogin(app, api);
  const guards = [leadToLogin(), allow("read", "console")] as const;
  app.get("/", ...guards, async (c) => {
    const children = <LiveOverview {...await overview(api)} />;
    return c.html(page({ title: "Overview", principal: c.get("principal"), path: "/", children }));
  });
  app.get(OVERVIEW_PATH, ...guards, async (c) => c.html(<Overview {...await overview(api)} />));
  app.use("/account/*", ...guards);
  app.use("/users/*", ...guards);
  app.use("/approvals/*", ...guards);
  app.use("/audit/*", ...guards);
  app.use("/directives/*", ...guards);
  app.use("/kill-switch", ...guards);
  addAccount(app, api);
  addUsersPage(app, api);
  addApprovalsPage(app, api);
  addAuditPage(app, api);
  addDirectivesPages(app, api);
  addKillSwitchPage(app, api);
  app.get("/alerts/:id{[0-9a-f]{32}}", ...guards, async (c) => {
    const alert = await knownAlert(api, c.req.param("id"));
    const tree = await processTree(api.store, alert);
    return c.html(alertPage(alert, { tree, principal: c.get("principal") }));
  });
}

/**
 * The page that says what went wrong.
 *
 * @param c The request.
 * @param error What went wrong.
 */
export function problemPage(c: Context, error: ImmuneError): Response | Promise<Response> {
  const title = error.status === 404 ? "Not here" : "That did not work";
  return c.html(messagePage(title, error.message), error.status as ContentfulStatusCode);
}

/** Who is not signed in comes to the login page, also from a page that was left open. */
function leadToLogin(): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.get("principal").kind !== "anonymous") return await next();
    if (c.req.header("HX-Request") === "true") {
      return c.body(null, 401, { "HX-Redirect": LOGIN_PATH });
    }
    return c.redirect(LOGIN_PATH, 303);
  });
}
