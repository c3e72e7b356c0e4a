import { createRoute } from "@hono/zod-openapi";
import { allow } from "./guards.ts";
import { answers, API_PATH, guarded, jsonBody } from "./route_parts.ts";
import {
  agentPath,
  caSchema,
  decidedSchema,
  decisionRequest,
  enrollTokenRequest,
  enrollTokenSchema,
  enrolmentsSchema,
  issuedSchema,
  issueRequest,
  revokedSchema,
  revokeRequest,
  rotateRequest,
  tokenPath,
  withdrawnSchema,
} from "./trust_schemas.ts";
import { answersOrAsked } from "./two_person.ts";

/** `GET /ca` */
export const caRoute = createRoute({
  method: "get",
  path: `${API_PATH}/ca`,
  ...guarded(allow("read", "ca")),
  responses: answers(caSchema, "authorities and server certificates"),
});

/** `POST /ca/rotate` */
export const rotateRoute = createRoute({
  method: "post",
  path: `${API_PATH}/ca/rotate`,
  ...guarded(allow("change", "ca")),
  request: jsonBody(rotateRequest),
  responses: answersOrAsked(caSchema, "what counts from now on"),
});

/** `POST /ca/certificates` */
export const issueRoute = createRoute({
  method: "post",
  path: `${API_PATH}/ca/certificates`,
  ...guarded(allow("create", "certificate")),
  request: jsonBody(issueRequest),
  responses: answers(issuedSchema, "a new agent with its certificate"),
});

/** `POST /agents/revoke` */
export const revokeRoute = createRoute({
  method: "post",
  path: `${API_PATH}/agents/revoke`,
  ...guarded(allow("revoke", "agents")),
  request: jsonBody(revokeRequest),
  responses: answersOrAsked(revokedSchema, "their certificates are good no more; all or none"),
});

/** `GET /enrolments` */
export const enrolmentsRoute = createRoute({
  method: "get",
  path: `${API_PATH}/enrolments`,
  ...guarded(allow("read", "enrolments")),
  responses: answers(enrolmentsSchema, "enrolments that wait, the oldest first"),
});

/** `POST /enrolments/{id}` */
export const decideRoute = createRoute({
  method: "post",
  path: `${API_PATH}/enrolments/{id}`,
  ...guarded(allow("approve", "enrolments")),
  request: { params: agentPath, ...jsonBody(decisionRequest) },
  responses: answers(decidedSchema, "what was decided; the first decision counts"),
});

/** `POST /enroll-tokens` */
export const enrollTokensRoute = createRoute({
  method: "post",
  path: `${API_PATH}/enroll-tokens`,
  ...guarded(allow("create", "enroll_token")),
  request: { body: { content: { "application/json": { schema: enrollTokenRequest } } } },
  responses: answers(enrollTokenSchema, "an enrolment token"),
});

/** `DELETE /enroll-tokens/{id}` */
export const withdrawTokenRoute = createRoute({
  method: "delete",
  path: `${API_PATH}/enroll-tokens/{id}`,
  ...guarded(allow("revoke", "enroll_token")),
  request: { params: tokenPath },
  responses: answers(withdrawnSchema, "the token is worthless"),
});
