import type { OpenAPIHono } from "@hono/zod-openapi";
import { ImmuneError } from "../../common/config/errors.ts";
import type { TrustView } from "../fleet/mod.ts";
import { recorded } from "../operators/mod.ts";
import { OVERLAP_DAYS } from "../trust/dates.ts";
import type { ApiContext, ApiEnv, TokenRequest } from "./context.ts";
import { authorityRotation, revocation, serverRotation, trustOf } from "./trust_acts.ts";
import {
  caRoute,
  decideRoute,
  enrollTokensRoute,
  enrolmentsRoute,
  issueRoute,
  revokeRoute,
  rotateRoute,
  withdrawTokenRoute,
} from "./trust_routes.ts";

/**
 * Adds the routes about who may join, and who may stay.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addTrust(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  addCertificates(app, api);
  addEnrolments(app, api);
  addTokens(app, api);
  const revoke = revocation(api);
  app.openapi(revokeRoute, async (c) => {
    const { reason, ...payload } = c.req.valid("json");
    const heard = await revoke({ principal: c.get("principal"), payload, reason });
    return "request" in heard ? c.json(heard, 202) : c.json(heard.done, 200);
  });
}

function addCertificates(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.openapi(caRoute, (c) => c.json(described(trustOf(api).view()), 200));
  const [authority, server] = [authorityRotation(api), serverRotation(api)];
  app.openapi(rotateRoute, async (c) => {
    const { what, overlapDays, force, reason } = c.req.valid("json");
    const asking = { principal: c.get("principal"), reason };
    const heard = what === "server"
      ? await server({ ...asking, payload: { force: force ?? false } })
      : await authority({ ...asking, payload: { overlapDays: overlapDays ?? OVERLAP_DAYS } });
    return "request" in heard ? c.json(heard, 202) : c.json(described(heard.done), 200);
  });
  app.openapi(issueRoute, async (c) => {
    const trust = trustOf(api);
    const { days, tags, ...asked } = c.req.valid("json");
    const act = {
      principal: c.get("principal"),
      action: "certificate.issue",
      object: asked.hostId,
      detail: { host_name: asked.hostName },
    };
    const issue = {
      ...asked,
      ...(days === undefined ? {} : { days }),
      ...(tags === undefined ? {} : { tags }),
    };
    const { agentId, pem, fingerprint, notAfterMs } = await recorded(
      api.audit,
      act,
      () => trust.issue(issue, api.store),
    );
    const notAfter = new Date(notAfterMs).toISOString();
    const { fleetId } = trust.view();
    const pins = trust.server.pins.map((der) => der.toBase64());
    const orders = await api.commands?.trust() ?? null;
    const issued = { agentId, certificate: pem, fingerprint, notAfter, fleetId, pins, orders };
    return c.json(issued, 200);
  });
}

function addEnrolments(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.openapi(enrolmentsRoute, async (c) => {
    const waiting = await pendingOf(api).list();
    const enrolments = waiting.map(({ agentId: id, hostId, hostName, tags, keyHash, askedMs }) => ({
      id,
      hostId,
      hostName,
      tags,
      keyHash,
      askedAt: new Date(askedMs).toISOString(),
    }));
    return c.json({ enrolments }, 200);
  });
  app.openapi(decideRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { approve } = c.req.valid("json");
    const action = approve ? "enrolment.approve" : "enrolment.deny";
    const act = { principal: c.get("principal"), action, object: id };
    const { state } = await recorded(
      api.audit,
      act,
      () => pendingOf(api).decide(id, approve),
    );
    return c.json({ id, state }, 200);
  });
}

function addTokens(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.openapi(enrollTokensRoute, async (c) => {
    const { enrollToken } = api;
    if (enrollToken === undefined) {
      throw new ImmuneError("NOT_FOUND", "Cannot make a token: this hive enrols no agents");
    }
    const asked = Object.fromEntries(
      Object.entries(c.req.valid("json")).filter(([, value]) => value !== undefined),
    ) as TokenRequest;
    const { uses = 1, approval = false } = asked;
    const detail = { uses, approval };
    const act = { principal: c.get("principal"), action: "enroll_token.create", detail };
    const { text, id, expiresMs } = await recorded(api.audit, act, () => enrollToken(asked));
    return c.json({ token: text, id, expiresAt: new Date(expiresMs).toISOString() }, 200);
  });
  app.openapi(withdrawTokenRoute, async (c) => {
    const { id } = c.req.valid("param");
    const act = { principal: c.get("principal"), action: "enroll_token.revoke", object: id };
    await recorded(api.audit, act, async () => {
      if (await api.store.removeToken(id)) return;
      throw new ImmuneError("NOT_FOUND", "Cannot withdraw the token: it is unknown or used up");
    });
    return c.json({ id, withdrawn: true }, 200);
  });
}

function described({ fleetId, authorities, server, successor }: TrustView): object {
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    fleetId,
    authorities: authorities.map((each) => ({
      fingerprint: each.fingerprint,
      subject: each.subject,
      notAfter: time(each.notAfterMs),
      acceptedUntil: each.acceptedUntilMs === null ? null : time(each.acceptedUntilMs),
      constraint: each.constraint,
      external: each.external,
    })),
    server: { fingerprint: server.fingerprint, notAfter: time(server.notAfterMs) },
    successor: { fingerprint: successor.fingerprint, notAfter: time(successor.notAfterMs) },
  };
}

function pendingOf({ pending }: ApiContext): NonNullable<ApiContext["pending"]> {
  if (pending !== undefined) return pending;
  throw new ImmuneError("NOT_FOUND", "Cannot find enrolments: this hive enrols no agents");
}
