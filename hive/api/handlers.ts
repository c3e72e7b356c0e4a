import type { OpenAPIHono } from "@hono/zod-openapi";
import { ImmuneError } from "../../common/config/errors.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { LOGIN_LINK_MS } from "../operators/mod.ts";
import type { AlertQuery } from "../store/store.ts";
import { activePatterns, agentViews } from "./agents.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { detectionView } from "./detection.ts";
import { durationMs } from "./duration.ts";
import { findEvents } from "./events.ts";
import { METRICS_TYPE, metricsText } from "./metrics.ts";
import {
  agentsRoute,
  alertRoute,
  alertsRoute,
  eventsRoute,
  loginLinksRoute,
  statsRoute,
  statusRoute,
} from "./routes.ts";
import { allow } from "./guards.ts";
import { LOGIN_PATH } from "./paths.ts";
import { fleetSensor } from "./sensor_view.ts";
import { addTrust } from "./trust_handlers.ts";

/**
 * Adds the API's routes.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addHandlers(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  addTotals(app, api);
  addFindings(app, api);
  addSecrets(app, api);
  addTrust(app, api);
}

function addTotals(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { store, clock } = api;
  app.openapi(statusRoute, async (c) => {
    const [agents, stats] = await Promise.all([agentViews(store, clock.nowMs()), store.stats()]);
    return c.json({
      version: api.version,
      startedAt: new Date(api.startedMs).toISOString(),
      agents: {
        enrolled: agents.filter(({ revoked }) => !revoked).length,
        online: agents.filter(({ online }) => online).length,
      },
      records: stats.records,
      events: stats.events,
      alertsToday: stats.alertsToday,
      activePatterns: activePatterns(agents),
      sensor: fleetSensor(agents),
    }, 200);
  });
  app.openapi(agentsRoute, async (c) => {
    return c.json({ agents: await agentViews(store, clock.nowMs()) }, 200);
  });
  app.openapi(statsRoute, async (c) => {
    const [stats, refused, detection] = await Promise.all([
      store.stats(),
      api.refused(),
      detectionView(api),
    ]);
    return c.json({ ...stats, refused, detection }, 200);
  });
  app.get("/health", allow("read", "health"), (c) => c.json({ status: "ok" }));
  app.get("/metrics", allow("read", "metrics"), async (c) => {
    const [agents, stats, refused, detection] = await Promise.all([
      agentViews(store, clock.nowMs()),
      store.stats(),
      api.refused(),
      detectionView(api),
    ]);
    const agentsOnline = agents.filter(({ online }) => online).length;
    const sensor = fleetSensor(agents);
    const text = metricsText({ agentsOnline, stats, refused, detection, sensor });
    return c.body(text, 200, { "Content-Type": METRICS_TYPE });
  });
}

function addFindings(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { store, clock } = api;
  app.openapi(alertsRoute, async (c) => {
    const { last, severity, host, limit, before } = c.req.valid("query");
    const query: AlertQuery = {
      limit,
      ...(last === undefined ? {} : { sinceMs: clock.nowMs() - durationMs(last) }),
      ...(severity === undefined ? {} : { severity }),
      ...(host === undefined ? {} : { hostId: host }),
      ...(before === undefined ? {} : { before }),
    };
    return c.json(await store.alerts(query), 200);
  });
  app.openapi(alertRoute, async (c) => {
    return c.json(await knownAlert(api, c.req.valid("param").id), 200);
  });
  app.openapi(eventsRoute, async (c) => {
    const { last, host, action, limit } = c.req.valid("query");
    const sinceMs = clock.nowMs() - durationMs(last);
    return c.json(await findEvents(store, { sinceMs, host, action, limit }), 200);
  });
}

function addSecrets(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.openapi(loginLinksRoute, (c) => {
    const path = `${LOGIN_PATH}?code=${api.operators.addLoginCode()}`;
    return c.json({ path, expiresInSeconds: LOGIN_LINK_MS / 1000 }, 200);
  });
}

/**
 * An alert that is there.
 *
 * @param api Where it is.
 * @param id Its id.
 * @throws {ImmuneError} `NOT_FOUND` when there is none of this id.
 */
export async function knownAlert(api: ApiContext, id: string): Promise<Alert> {
  const alert = await api.store.alert(id);
  if (alert === undefined) {
    throw new ImmuneError("NOT_FOUND", `Cannot find alert "${id}": the store has none of this id`);
  }
  return alert;
}
