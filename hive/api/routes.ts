import { createRoute, type z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "./context.ts";
import { allow } from "./guards.ts";
import {
  agentsSchema,
  alertPath,
  alertsQuery,
  alertsSchema,
  apiErrorSchema,
  describedAlert,
  enrollTokenRequest,
  enrollTokenSchema,
  eventsQuery,
  eventsSchema,
  loginLinkSchema,
  statsSchema,
  statusSchema,
} from "./schemas.ts";

type Guard = MiddlewareHandler<ApiEnv>;

/** Where the API starts. */
export const API_PATH = "/api/v1";

const ERROR = {
  content: { "application/json": { schema: apiErrorSchema } },
  description: "what went wrong, with a stable code",
};

function answers(schema: z.ZodType, description: string): {
  200: { content: { "application/json": { schema: z.ZodType } }; description: string };
  default: typeof ERROR;
} {
  return {
    200: { content: { "application/json": { schema } }, description },
    default: ERROR,
  };
}

function guarded(guard: Guard): { middleware: Guard; security: { bearer: string[] }[] } {
  return { middleware: guard, security: [{ bearer: [] }] };
}

/** `GET /status` */
export const statusRoute = createRoute({
  method: "get",
  path: `${API_PATH}/status`,
  ...guarded(allow("read", "status")),
  responses: answers(statusSchema, "what the hive is doing"),
});

/** `GET /agents` */
export const agentsRoute = createRoute({
  method: "get",
  path: `${API_PATH}/agents`,
  ...guarded(allow("read", "agents")),
  responses: answers(agentsSchema, "all agents with their ledgers"),
});

/** `GET /alerts` */
export const alertsRoute = createRoute({
  method: "get",
  path: `${API_PATH}/alerts`,
  ...guarded(allow("read", "alerts")),
  request: { query: alertsQuery },
  responses: answers(alertsSchema, "alerts, newest first"),
});

/** `GET /alerts/{id}` */
export const alertRoute = createRoute({
  method: "get",
  path: `${API_PATH}/alerts/{id}`,
  ...guarded(allow("read", "alerts")),
  request: { params: alertPath },
  responses: answers(describedAlert, "one alert"),
});

/** `GET /events` */
export const eventsRoute = createRoute({
  method: "get",
  path: `${API_PATH}/events`,
  ...guarded(allow("read", "events")),
  request: { query: eventsQuery },
  responses: answers(eventsSchema, "events as ECS documents, newest block first"),
});

/** `GET /stats` */
export const statsRoute = createRoute({
  method: "get",
  path: `${API_PATH}/stats`,
  ...guarded(allow("read", "stats")),
  responses: answers(statsSchema, "totals"),
});

/** `POST /login-links` */
export const loginLinksRoute = createRoute({
  method: "post",
  path: `${API_PATH}/login-links`,
  ...guarded(allow("create", "login_link")),
  responses: answers(loginLinkSchema, "a link that signs one person in, once"),
});

/** `POST /enroll-tokens` */
export const enrollTokensRoute = createRoute({
  method: "post",
  path: `${API_PATH}/enroll-tokens`,
  ...guarded(allow("create", "enroll_token")),
  request: { body: { content: { "application/json": { schema: enrollTokenRequest } } } },
  responses: answers(enrollTokenSchema, "a token that enrols one agent, once"),
});
