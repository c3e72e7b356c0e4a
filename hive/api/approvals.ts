import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type Approval, APPROVAL_STATES, peopleMissing } from "../operators/mod.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { allow } from "./guards.ts";
import { answers, API_PATH, guarded } from "./route_parts.ts";

const person = z.object({ id: z.string(), name: z.string() });

/** A request for approval, as answers show it. */
export const approvalViewSchema = z.object({
  id: z.string(),
  action: z.string(),
  object: z.string(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .openapi({ description: "what else there is to know of it" }),
  reason: z.string(),
  askedBy: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
  askedAt: z.string(),
  expiresAt: z.string(),
  approvedBy: z.array(person),
  missing: z.int().nonnegative().openapi({ description: "people that still have to approve" }),
  state: z.enum(APPROVAL_STATES),
  outcome: z.string().nullable(),
}).openapi("Approval");

/** Requests. */
export const approvalsSchema = z.object({ approvals: z.array(approvalViewSchema) });

const PATH = `${API_PATH}/approvals`;
const requestPath = z.object({ id: z.uuid() });

const listRoute = createRoute({
  method: "get",
  path: PATH,
  ...guarded(allow("read", "approvals")),
  responses: answers(approvalsSchema, "requests, newest first"),
});

const approveRoute = createRoute({
  method: "post",
  path: `${PATH}/{id}/approve`,
  ...guarded(allow("approve", "approvals")),
  request: { params: requestPath },
  responses: answers(
    approvalViewSchema,
    "the request; with the last person it was done, or failed",
  ),
});

const denyRoute = createRoute({
  method: "post",
  path: `${PATH}/{id}/deny`,
  ...guarded(allow("approve", "approvals")),
  request: { params: requestPath },
  responses: answers(approvalViewSchema, "the request, denied"),
});

/**
 * Adds the routes of approvals.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addApprovals(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { approvals } = api.operators;
  app.openapi(listRoute, async (c) => {
    return c.json({ approvals: (await approvals.list()).map(approvalView) }, 200);
  });
  app.openapi(approveRoute, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(approvalView(await approvals.approve(c.get("principal"), id)), 200);
  });
  app.openapi(denyRoute, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(approvalView(await approvals.deny(c.get("principal"), id)), 200);
  });
}

/**
 * A request without what its act needs.
 *
 * @param approval The request.
 */
export function approvalView(approval: Approval): z.infer<typeof approvalViewSchema> {
  const { payload: _payload, asker: _asker, standing: _standing, ...shown } = approval;
  return { ...shown, missing: peopleMissing(approval) };
}
