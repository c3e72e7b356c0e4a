import { z } from "@hono/zod-openapi";
import { orderTrustSchema } from "../../common/link/protocol.ts";
import { CLIENT_DAYS_MAX } from "../trust/dates.ts";
import { TAGS_MAX, TOKEN_LIFETIME_MS_MAX, TOKEN_USES_MAX } from "../fleet/token.ts";
import { REVOKED_AT_ONCE_MAX } from "./bounds.ts";
import { reasonSchema } from "./two_person.ts";

const time = z.iso.datetime();
const fingerprint = z.string().openapi({ description: "SHA-256 of the certificate (DER)" });
const hostId = z.string().regex(/^[0-9a-f]{64}$/, "must be a host id of 64 hexadecimal digits");
const hostName = z.string().min(1).max(253);
const tags = z.array(z.string().min(1).max(64)).max(TAGS_MAX);
const place = z.string().min(1).max(300);
const agentId = z.uuid();

/** The hive's certificates. */
export const caSchema = z.object({
  fleetId: z.string(),
  authorities: z.array(z.object({
    fingerprint,
    subject: z.string(),
    notAfter: time,
    acceptedUntil: time.nullable().openapi({ description: "null = it is the one that signs" }),
    constraint: z.string().openapi({ description: "`fleet`: it may name no other hosts" }),
    external: z.boolean(),
  })),
  server: z.object({ fingerprint, notAfter: time }),
  successor: z.object({ fingerprint, notAfter: time })
    .openapi({ description: "pinned by agents already, shown to them after a rotation" }),
}).openapi("Certificates");

/** What is to be rotated. */
export const rotateRequest = z.strictObject({
  what: z.enum(["authority", "server"]),
  overlapDays: z.number().min(0).max(CLIENT_DAYS_MAX).optional()
    .openapi({ description: "of authorities; 0 after a theft: every agent has to enrol again" }),
  force: z.boolean().optional()
    .openapi({ description: "of the server: also when agents cannot know its successor yet" }),
  reason: reasonSchema,
});

/** A certificate by hand. */
export const issueRequest = z.strictObject({
  request: z.string().min(1).max(16_000).openapi({ description: "PKCS #10 (PEM)" }),
  hostId,
  hostName,
  tags: tags.optional(),
  days: z.number().min(1).max(CLIENT_DAYS_MAX).optional(),
});

/** A certificate that was signed. */
export const issuedSchema = z.object({
  agentId,
  certificate: z.string(),
  fingerprint,
  notAfter: time,
  fleetId: z.string(),
  pins: z.array(z.string()).openapi({
    description: "what the host pins: the hive's certificate and its successor (DER, base64)",
  }),
  orders: orderTrustSchema.nullable()
    .openapi({ description: "whose orders the host takes; null = this hive gives none" }),
}).openapi("Issued");

/** Path of one agent or enrolment. */
export const agentPath = z.object({ id: agentId });

/** Agents that are to be revoked. */
export const revokeRequest = z.strictObject({
  agents: z.array(agentId).min(1).max(REVOKED_AT_ONCE_MAX),
  reason: reasonSchema,
});
/** Those that were. */
export const revokedSchema = z.object({
  revoked: z.array(agentId),
  unknown: z.array(agentId),
});

/** Enrolments that wait for an operator. */
export const enrolmentsSchema = z.object({
  enrolments: z.array(
    z.object({
      id: agentId.openapi({ description: "the agent's id when it is approved" }),
      hostId: z.string(),
      hostName: z.string(),
      tags: z.array(z.string()),
      keyHash: z.string().openapi({ description: "SHA-256 of the key, which the host shows too" }),
      askedAt: time,
    }).openapi("Enrolment"),
  ),
});

/** An operator's decision. */
export const decisionRequest = z.strictObject({ approve: z.boolean() });
/** What was decided. */
export const decidedSchema = z.object({ id: agentId, state: z.string() });

/** What an enrolment token is to be good for. */
export const enrollTokenRequest = z.strictObject({
  enroll: place.optional().openapi({ description: "HOST:PORT of enrolment" }),
  agents: place.optional().openapi({ description: "HOST:PORT where batches go" }),
  lifetimeMs: z.int().min(1).max(TOKEN_LIFETIME_MS_MAX).optional(),
  uses: z.int().min(1).max(TOKEN_USES_MAX).optional()
    .openapi({ description: "agents that it enrols; default 1" }),
  tags: tags.optional(),
  hostId: hostId.optional().openapi({ description: "the only host that may use it" }),
  hostName: hostName.optional().openapi({ description: "the only host that may use it" }),
  approval: z.boolean().optional()
    .openapi({ description: "an operator has to approve each enrolment" }),
});

/** An enrolment token. */
export const enrollTokenSchema = z.object({
  token: z.string().openapi({ description: "enrols as many agents as it has uses" }),
  id: z.string().openapi({ description: "to withdraw it; nobody can enrol with it" }),
  expiresAt: time,
});

/** Path of one token. */
export const tokenPath = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"),
});
/** That a token is worthless. */
export const withdrawnSchema = z.object({ id: z.string(), withdrawn: z.boolean() });
