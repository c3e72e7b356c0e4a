import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  ACTOR_KINDS,
  type AuditPage,
  type AuditReport,
  DECISIONS,
  headText,
} from "../../common/audit/mod.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { allow } from "./guards.ts";
import { answers, API_PATH, guarded } from "./route_parts.ts";
import { pageLimit } from "./schemas.ts";

const count = z.int().nonnegative();

/** Query of `GET /api/v1/audit`. */
export const auditQuery = z.strictObject({
  limit: pageLimit,
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional()
    .openapi({ description: "`next` of the answer before" }),
  action: z.string().regex(/^[a-z_.]{1,64}$/).optional()
    .openapi({ description: "an action, or what stands before its first dot" }),
  actor: z.string().min(1).max(256).optional().openapi({ description: "an id or a name" }),
});

/** A page of the audit log. */
export const auditSchema = z.object({
  entries: z.array(
    z.object({
      sequence: count,
      time: z.string(),
      actor: z.object({
        kind: z.enum(ACTOR_KINDS),
        id: z.string(),
        name: z.string().optional(),
      }),
      action: z.string(),
      object: z.string().optional(),
      decision: z.enum(DECISIONS),
      detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
        .optional(),
      previous: z.string().openapi({ description: "SHA-256 of the line before" }),
    }).openapi("AuditEntry"),
  ),
  next: count.nullable(),
});

/** What a check of the audit log came to. */
export const auditReportSchema = z.object({
  whole: z.boolean(),
  entries: count,
  first: count,
  head: z.string().openapi({ description: "note it elsewhere: a later check can start from it" }),
  broken: z.object({ sequence: count, line: count, why: z.string() }).nullable(),
});

const listRoute = createRoute({
  method: "get",
  path: `${API_PATH}/audit`,
  ...guarded(allow("read", "audit")),
  request: { query: auditQuery },
  responses: answers(auditSchema, "decisions, newest first"),
});

const verifyRoute = createRoute({
  method: "get",
  path: `${API_PATH}/audit/report`,
  ...guarded(allow("read", "audit")),
  responses: answers(auditReportSchema, "whether the log is whole"),
});

/**
 * Adds the routes of the audit log.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addAudit(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.openapi(listRoute, (c) => c.json(auditPage(api, c.req.valid("query")), 200));
  app.openapi(verifyRoute, (c) => c.json(auditReport(api.audit.verify()), 200));
}

/**
 * A page of the audit log.
 *
 * @param api Where it is.
 * @param query Which entries.
 */
export function auditPage(api: ApiContext, query: z.infer<typeof auditQuery>): AuditPage {
  const { limit, before, action, actor } = query;
  return api.audit.read({
    limit,
    ...(before === undefined ? {} : { before }),
    ...(action === undefined ? {} : { action }),
    ...(actor === undefined ? {} : { actor }),
  });
}

/**
 * What a check says, without paths of the host.
 *
 * @param report The check.
 */
export function auditReport(report: AuditReport): z.infer<typeof auditReportSchema> {
  const { entries, first, head, broken } = report;
  return {
    whole: broken === undefined,
    entries,
    first,
    head: headText(head),
    broken: broken === undefined
      ? null
      : { sequence: broken.sequence, line: broken.line, why: broken.why },
  };
}
