import { createRoute, type OpenAPIHono, type z } from "@hono/zod-openapi";
import type { AuditDetail } from "../../common/audit/mod.ts";
import type { AntibodyView, HerdCall, HerdGives, HerdTakes, Standing } from "../herd/mod.ts";
import { recorded } from "../operators/mod.ts";
import type { Principal } from "../operators/mod.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { allow } from "./guards.ts";
import {
  agentPath,
  antibodiesSchema,
  antibodyRequest,
  antibodySchema,
  genesisRequest,
  hexPath,
  pullRequest,
  standingSchema,
  standingsSchema,
  verdictRequest,
} from "./herd_schemas.ts";
import { answers, API_PATH, doneSchema, guarded, jsonBody } from "./route_parts.ts";
import { checkAgents } from "./trust_acts.ts";
import { answersOrAsked, trustAct } from "./two_person.ts";

const HERD = `${API_PATH}/herd`;

const standingsRoute = createRoute({
  method: "get",
  path: `${HERD}/agents`,
  ...guarded(allow("read", "herd")),
  responses: answers(standingsSchema, "the standing of all agents"),
});

const suspectRoute = createRoute({
  method: "post",
  path: `${HERD}/agents/{id}/suspect`,
  ...guarded(allow("change", "herd")),
  request: { params: agentPath },
  responses: answers(standingSchema, "the agent, which has no vote and no report now"),
});

const clearRoute = createRoute({
  method: "post",
  path: `${HERD}/agents/{id}/clear`,
  ...guarded(allow("change", "herd")),
  request: { params: agentPath },
  responses: answers(standingSchema, "the agent, which is no longer suspect"),
});

const blacklistRoute = createRoute({
  method: "post",
  path: `${HERD}/agents/{id}/blacklist`,
  ...guarded(allow("revoke", "herd")),
  request: { params: agentPath },
  responses: answersOrAsked(standingSchema, "the agent, whose certificate is revoked"),
});

const genesisRoute = createRoute({
  method: "post",
  path: `${HERD}/genesis`,
  ...guarded(allow("create", "genesis")),
  request: jsonBody(genesisRequest),
  responses: answers(standingsSchema, "the standing of all agents"),
});

const antibodiesRoute = createRoute({
  method: "get",
  path: `${HERD}/antibodies`,
  ...guarded(allow("read", "herd")),
  responses: answers(antibodiesSchema, "all antibodies"),
});

const createAntibodyRoute = createRoute({
  method: "post",
  path: `${HERD}/antibodies`,
  ...guarded(allow("create", "antibodies")),
  request: jsonBody(antibodyRequest),
  responses: answers(antibodySchema, "the antibody, which the canary hosts get"),
});

const approveRoute = createRoute({
  method: "post",
  path: `${HERD}/antibodies/{id}/approve`,
  ...guarded(allow("approve", "antibodies")),
  request: { params: hexPath },
  responses: answers(antibodySchema, "the antibody, which the canary hosts get"),
});

const confirmRoute = createRoute({
  method: "post",
  path: `${HERD}/antibodies/{id}/confirm`,
  ...guarded(allow("approve", "antibodies")),
  request: { params: hexPath },
  responses: answers(antibodySchema, "the antibody, whose brake is off"),
});

const pullRoute = createRoute({
  method: "post",
  path: `${HERD}/antibodies/{id}/pull`,
  ...guarded(allow("revoke", "antibodies")),
  request: { params: hexPath, ...jsonBody(pullRequest) },
  responses: answers(antibodySchema, "the antibody, which no host has any more"),
});

const verdictRoute = createRoute({
  method: "post",
  path: `${API_PATH}/alerts/{id}/verdict`,
  ...guarded(allow("create", "verdicts")),
  request: { params: hexPath, ...jsonBody(verdictRequest) },
  responses: answers(doneSchema, "the alert is judged"),
});

/**
 * Adds the routes of the herd.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addHerd(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  addStandings(app, new HerdDesk(api));
  addBlacklist(app, api);
  addAntibodies(app, new HerdDesk(api));
}

function addStandings(app: OpenAPIHono<ApiEnv>, desk: HerdDesk): void {
  app.openapi(standingsRoute, async (c) => {
    return c.json({ agents: await desk.named(await desk.ask("standings", undefined)) }, 200);
  });
  for (
    const [route, call] of [
      [suspectRoute, "suspect"],
      [clearRoute, "clear"],
    ] as const
  ) {
    app.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const standing = await desk.act(c.get("principal"), { call, given: id, object: id });
      const [named] = await desk.named([standing]);
      return c.json(named, 200);
    });
  }
  app.openapi(genesisRoute, async (c) => {
    const given = c.req.valid("json").signed;
    const standings = await desk.act(c.get("principal"), { call: "genesis", given, object: "" });
    return c.json({ agents: await desk.named(standings) }, 200);
  });
}

function addBlacklist(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const desk = new HerdDesk(api);
  const blacklist = trustAct(api, {
    action: "herd.blacklist",
    // It revokes the agent: who needs a second person for that needs one for this.
    setting: "agent.revoke",
    needs: ["revoke", "herd"],
    payload: agentPath,
    isRepeatable: true,
    object: ({ id }) => id,
    check: ({ id }) => checkAgents(api, [id]),
    standing: async ({ id }) => {
      const standings = await desk.ask("standings", undefined);
      return standings.find(({ agentId }) => agentId === id)?.state ?? "unknown";
    },
    run: ({ id }) => desk.ask("blacklist", id),
  });
  app.openapi(blacklistRoute, async (c) => {
    const payload = c.req.valid("param");
    const heard = await blacklist({ principal: c.get("principal"), payload });
    if ("request" in heard) return c.json(heard, 202);
    const [named] = await desk.named([heard.done]);
    return c.json(named, 200);
  });
}

function addAntibodies(app: OpenAPIHono<ApiEnv>, desk: HerdDesk): void {
  app.openapi(antibodiesRoute, async (c) => {
    const antibodies = await desk.ask("antibodies", undefined);
    return c.json({ antibodies: antibodies.map(antibodyView) }, 200);
  });
  app.openapi(createAntibodyRoute, async (c) => {
    const { type, value, hours, ...proposal } = c.req.valid("json");
    const given = { ...proposal, entry: { type, value }, lifetimeMs: hours * 3_600_000 };
    const object = type === "rule" ? "rule" : value;
    const view = await desk.act(c.get("principal"), { call: "create", given, object });
    return c.json(antibodyView(view), 200);
  });
  for (const [route, call] of [[approveRoute, "approve"], [confirmRoute, "confirm"]] as const) {
    app.openapi(route, async (c) => {
      const { id } = c.req.valid("param");
      const view = await desk.act(c.get("principal"), { call, given: id, object: id });
      return c.json(antibodyView(view), 200);
    });
  }
  app.openapi(pullRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { why, isFalse } = c.req.valid("json");
    const given = { antibodyId: id, why, isFalse };
    const detail = { why, isFalse };
    const view = await desk.act(c.get("principal"), { call: "pull", given, object: id, detail });
    return c.json(antibodyView(view), 200);
  });
  app.openapi(verdictRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { isTrue } = c.req.valid("json");
    const given = { alertId: id, isTrue };
    const detail = { isTrue };
    await desk.act(c.get("principal"), { call: "judge", given, object: id, detail });
    return c.json({ done: true as const }, 200);
  });
}

interface HerdAct<C extends HerdCall> {
  readonly call: C;
  readonly given: HerdTakes<C>;
  readonly object: string;
  readonly detail?: AuditDetail;
}

/** Asks the herd for a person; whatever changes something is recorded first. */
class HerdDesk {
  readonly #api: ApiContext;

  constructor(api: ApiContext) {
    this.#api = api;
  }

  ask<C extends HerdCall>(call: C, given: HerdTakes<C>): Promise<HerdGives<C>> {
    return this.#api.store.herd(call, given);
  }

  act<C extends HerdCall>(
    principal: Principal,
    { call, given, object, detail }: HerdAct<C>,
  ): Promise<HerdGives<C>> {
    const act = { principal, action: `herd.${call}`, object, ...(detail && { detail }) };
    return recorded(this.#api.audit, act, () => this.ask(call, given));
  }

  async named(
    standings: readonly Standing[],
  ): Promise<readonly z.infer<typeof standingSchema>[]> {
    const agents = await this.#api.store.agents();
    const names = new Map(agents.map(({ id, hostName }) => [id, hostName]));
    return standings.map((one) => ({ ...one, hostName: names.get(one.agentId) ?? "" }));
  }
}

function antibodyView(view: AntibodyView): z.infer<typeof antibodySchema> {
  const { antibody, stageMs, ...others } = view;
  const { madeMs: _, expiresMs, evidence, ...entry } = antibody;
  return {
    ...entry,
    ...others,
    evidence: [...evidence],
    since: new Date(stageMs).toISOString(),
    expiresAt: new Date(expiresMs).toISOString(),
    checked: view.checked ?? false,
  };
}
