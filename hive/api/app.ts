import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { addConsole, problemPage } from "../console/mod.tsx";
import type { ApiContext, ApiEnv, ApiOptions } from "./context.ts";
import { errorAnswer, outwardError } from "./errors.ts";
import { allow, identify } from "./guards.ts";
import { addHandlers } from "./handlers.ts";
import { API_PATH } from "./route_parts.ts";
import { addApprovals } from "./approvals.ts";
import { addAudit } from "./audit.ts";
import { addHerd } from "./herd.ts";
import { addOrders } from "./orders.ts";
import { addTokens } from "./tokens.ts";
import { addUsers } from "./users.ts";
import { securityHeaders } from "./security_headers.ts";
import { wholeBody } from "./whole_body.ts";

/** The operators' side of a hive: API and console. */
export type Api = OpenAPIHono<ApiEnv>;

/**
 * Makes the operators' side of a hive.
 *
 * @param options Store and operators.
 * @returns A Hono app; `fetch` takes the request and, where there is one, the peer's address.
 */
export function createApi(options: ApiOptions): Api {
  const api = contextOf(options);
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const { path, message } = result.error.issues[0] ?? { path: [], message: "" };
      throw new ImmuneError(
        "INPUT_MALFORMED",
        `Cannot take this request: "${path.join(".") || result.target}": ${message}`,
      );
    },
  });
  app.onError((error, c) => failure(c, outwardError(error, api.log)));
  app.notFound((c) =>
    failure(c, new ImmuneError("NOT_FOUND", `Cannot find "${c.req.path}": no such route`))
  );
  app.use(securityHeaders(api));
  app.use(identify(api));
  app.use(wholeBody(api.clock));
  addHandlers(app, api);
  addUsers(app, api);
  addTokens(app, api);
  addApprovals(app, api);
  addHerd(app, api);
  addAudit(app, api);
  addOrders(app, api);
  addDescription(app, api);
  addConsole(app, api);
  return app;
}

/** A person who looks at a page gets a page. */
function failure(c: Context<ApiEnv>, error: ImmuneError): Response | Promise<Response> {
  const isPage = !c.req.path.startsWith("/api/") &&
    (c.req.header("Accept") ?? "").includes("text/html");
  return isPage ? problemPage(c, error) : errorAnswer(c, error);
}

function contextOf(options: ApiOptions): ApiContext {
  const clock = options.clock ?? SYSTEM_CLOCK;
  return {
    store: options.store,
    operators: options.operators,
    audit: options.audit,
    version: options.version,
    enrollToken: options.enrollToken,
    commands: options.commands,
    trust: options.trust,
    pending: options.pending,
    detection: options.detection,
    refused: options.refused ?? (() => Promise.resolve({})),
    log: options.log ?? (() => {}),
    clock,
    behindTls: options.behindTls ?? false,
    startedMs: clock.nowMs(),
  };
}

function addDescription(app: Api, api: ApiContext): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "the text of operator.token in the state folder",
  });
  app.get(
    `${API_PATH}/openapi.json`,
    allow("read", "description"),
    (c) =>
      c.json(app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: { title: "Sentinel Immune, operators' API", version: api.version },
      })),
  );
}
