import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { ImmuneError } from "../../common/config/errors.ts";
import { EVERY_HOST, readPack } from "../../common/wire/mod.ts";
import { DESTRUCTIVE_VALIDITY_MS } from "../command/commands.ts";
import type { Sent } from "../command/outbox.ts";
import { hashOf } from "../command/hashed_files.ts";
import type { DirectiveOutcome, DirectiveSummary } from "../store/directive_store.ts";
import type { z } from "@hono/zod-openapi";
import type { ApiContext, ApiEnv } from "./context.ts";
import { durationMs } from "./duration.ts";
import { recorded } from "../operators/mod.ts";
import { allow } from "./guards.ts";
import { killSwitchView } from "./kill_switch.ts";
import { commandsOf, keyRotation, orderAct, stopAct, stopKeyAct } from "./order_acts.ts";
import {
  directivePath,
  directiveRequest,
  type directiveSchema,
  directivesQuery,
  directivesSchema,
  killSwitchSchema,
  type outcomeSchema,
  outcomesSchema,
  packFilesSchema,
  packPath,
  PACKS_NEED,
  PACKS_PATH,
  packSchema,
  sentSchema,
  stopKeyRequest,
  stopRequest,
} from "./order_schemas.ts";
import { answers, API_PATH, guarded, jsonBody } from "./route_parts.ts";
import { answersOrAsked } from "./two_person.ts";

const DIRECTIVES = `${API_PATH}/directives`;
const KILL_SWITCH = `${API_PATH}/kill-switch`;

const sendRoute = createRoute({
  method: "post",
  path: DIRECTIVES,
  ...guarded(allow("create", "directives")),
  request: jsonBody(directiveRequest),
  responses: answersOrAsked(sentSchema, "the directive that went out"),
});

const listRoute = createRoute({
  method: "get",
  path: DIRECTIVES,
  ...guarded(allow("read", "directives")),
  request: { query: directivesQuery },
  responses: answers(directivesSchema, "directives, newest first"),
});

const outcomesRoute = createRoute({
  method: "get",
  path: `${DIRECTIVES}/{stream}/{number}`,
  ...guarded(allow("read", "directives")),
  request: { params: directivePath },
  responses: answers(outcomesSchema, "what became of one directive, host by host"),
});

const packRoute = createRoute({
  method: "post",
  path: PACKS_PATH,
  ...guarded(allow(...PACKS_NEED)),
  responses: answers(packSchema, "the pack's hash, for a directive of kind rules"),
});

const readPackRoute = createRoute({
  method: "get",
  path: `${PACKS_PATH}/{pack}`,
  ...guarded(allow("read", "directives")),
  request: { params: packPath },
  responses: answers(packFilesSchema, "the pack: what is approved, to be read before"),
});

const rotateRoute = createRoute({
  method: "post",
  path: `${API_PATH}/directive-key/rotate`,
  ...guarded(allow("change", "directive_key")),
  responses: answersOrAsked(sentSchema, "the directive that names the successor"),
});

const killSwitchRoute = createRoute({
  method: "get",
  path: KILL_SWITCH,
  ...guarded(allow("read", "kill_switch")),
  responses: answers(killSwitchSchema, "the stop key, what it signed last, and every host"),
});

const stopKeyRoute = createRoute({
  method: "put",
  path: KILL_SWITCH,
  ...guarded(allow("change", "kill_switch")),
  request: jsonBody(stopKeyRequest),
  responses: answersOrAsked(sentSchema, "the directive that names the stop key"),
});

const stopRoute = createRoute({
  method: "post",
  path: `${KILL_SWITCH}/stops`,
  ...guarded(allow("create", "kill_switch")),
  request: jsonBody(stopRequest),
  responses: answersOrAsked(sentSchema, "what the holders signed went out"),
});

/**
 * Adds the routes of orders and of the kill switch.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addOrders(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  addDirectives(app, api);
  addKillSwitch(app, api);
}

function addDirectives(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { store } = api;
  const [send, rotate] = [orderAct(api), keyRotation(api)];
  app.openapi(sendRoute, async (c) => {
    const { order, host, valid, reason } = c.req.valid("json");
    const validMs = valid === undefined ? DESTRUCTIVE_VALIDITY_MS : durationMs(valid);
    const payload = { order, host: host ?? null, validMs };
    const heard = await send({ principal: c.get("principal"), payload, reason });
    return "request" in heard ? c.json(heard, 202) : c.json(sentView(heard.done), 200);
  });
  app.openapi(listRoute, async (c) => {
    const rows = await store.directives(c.req.valid("query").limit);
    return c.json({ directives: rows.map(directiveView) }, 200);
  });
  app.openapi(outcomesRoute, async (c) => {
    const { stream, number } = c.req.valid("param");
    const outcomes = await store.directiveOutcomes(stream, number);
    return c.json({ outcomes: outcomes.map(outcomeView) }, 200);
  });
  app.openapi(packRoute, async (c) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const files = readPack(bytes).length;
    const pack = await recorded(api.audit, {
      principal: c.get("principal"),
      action: "pack.add",
      object: hashOf(bytes),
      detail: { files, bytes: bytes.length },
    }, () => Promise.resolve(commandsOf(api).addPack(bytes)));
    return c.json({ pack }, 200);
  });
  app.openapi(readPackRoute, (c) => {
    const { pack } = c.req.valid("param");
    const bytes = commandsOf(api).pack(pack);
    if (bytes === undefined) {
      throw new ImmuneError("NOT_FOUND", `Cannot find pack "${pack}": it is not kept any more`);
    }
    return c.json({ version: 1 as const, files: [...readPack(bytes)] }, 200);
  });
  app.openapi(rotateRoute, async (c) => {
    const heard = await rotate({ principal: c.get("principal"), payload: {} });
    return "request" in heard ? c.json(heard, 202) : c.json(sentView(heard.done), 200);
  });
}

function addKillSwitch(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.openapi(killSwitchRoute, async (c) => {
    const { fleet, stopKey, uses, agents } = await killSwitchView(api);
    const [last] = uses;
    return c.json({
      fleet,
      stopKey: stopKey ?? null,
      last: last === undefined ? null : directiveView(last),
      uses: uses.map((use) => ({ ...directiveView(use), action: use.action })),
      agents: agents.map((agent) => ({
        agentId: agent.agentId,
        hostName: agent.hostName,
        hostId: agent.hostId,
        stopped: agent.stopped,
        canary: agent.canary,
        refused: agent.refused,
        heardAt: agent.heardMs === null ? null : dateText(agent.heardMs),
      })),
    }, 200);
  });
  const [init, fire] = [stopKeyAct(api), stopAct(api)];
  app.openapi(stopKeyRoute, async (c) => {
    const { reason, ...payload } = c.req.valid("json");
    const heard = await init({ principal: c.get("principal"), payload, reason });
    return "request" in heard ? c.json(heard, 202) : c.json(sentView(heard.done), 200);
  });
  app.openapi(stopRoute, async (c) => {
    const { reason, ...payload } = c.req.valid("json");
    const heard = await fire({ principal: c.get("principal"), payload, reason });
    return "request" in heard ? c.json(heard, 202) : c.json(sentView(heard.done), 200);
  });
}

function sentView({ stream, number, expiresMs }: Sent): z.infer<typeof sentSchema> {
  return { stream, number, expiresAt: dateText(expiresMs) };
}

function directiveView(row: DirectiveSummary): z.infer<typeof directiveSchema> {
  const { stream, number, kind, target, issuedMs, expiresMs, by, results } = row;
  return {
    stream,
    number,
    kind,
    host: target === EVERY_HOST ? null : target,
    issuedAt: dateText(issuedMs),
    expiresAt: dateText(expiresMs),
    by,
    results,
  };
}

function outcomeView(outcome: DirectiveOutcome): z.infer<typeof outcomeSchema> {
  const { agentId, hostName, outcome: what, cause, text, heardMs } = outcome;
  return { agentId, hostName, outcome: what, cause, text, heardAt: dateText(heardMs) };
}

function dateText(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
