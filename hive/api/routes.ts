import { createRoute } from "@hono/zod-openapi";
import { allow } from "./guards.ts";
import { answers, API_PATH, guarded } from "./route_parts.ts";
import {
  agentsSchema,
  alertPath,
  alertsQuery,
  alertsSchema,
  describedAlert,
  eventsQuery,
  eventsSchema,
  loginLinkSchema,
  statsSchema,
  statusSchema,
} from "./schemas.ts";

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
