import * as z from "zod";
import { DIFFICULTY_MAX } from "../keys/proof_of_work.ts";

export { errorSchema } from "./error_schema.ts";

/** Port where agents deliver, mutual TLS. */
export const AGENTS_PORT = 9998;
/** Port of enrolment, server-side TLS. */
export const ENROLL_PORT = 9997;

/** Routes of the agents' port and of the enrolment port. */
export const ROUTES = {
  /** POST: one batch (`application/octet-stream`); answer: acknowledgement or error. */
  batches: "/v1/batches",
  /** GET: frames with signed directives, as they come; `directive`, `canary`, `stop`: seen. */
  downlink: "/v1/downlink",
  /** GET: a signed canary; `nonce`: what it answers. */
  canary: "/canary",
  /** GET, with a hash behind it: a pack of rules. */
  packs: "/v1/packs",
  /** GET, with a hash behind it: a set of antibodies. */
  antibodies: "/v1/antibodies",
  /** POST: what became of directives. */
  results: "/v1/results",
  /** POST: a request for the agent's next certificate; answer: certificate and pins. */
  renew: "/v1/renew",
  /** GET: the certificates that the agent is to pin. */
  pins: "/v1/pins",
  /** POST on the enrolment port: who wants to enrol; answer: a challenge. */
  challenge: "/v1/challenge",
  /** POST on the enrolment port: the ticket of an enrolment that waits; answer: enrolment. */
  ticket: "/v1/enroll/ticket",
  /** POST: a word of an agent for the herd (common/herd/word.ts). */
  herd: "/v1/herd",
  /** POST on the enrolment port: enrolment request; answer: enrolment. */
  enroll: "/v1/enroll",
  /** GET on the enrolment port: is it there. */
  health: "/health",
} as const;

/** Media type of the downlink: frames as in common/wire/frame.ts, without an end. */
export const FRAMES_TYPE = "application/vnd.immune.frames";

/** Longest enrolment token, in characters. */
export const TOKEN_CHARACTERS_MAX = 8192;
/** Longest body of an enrolment request, in bytes. */
export const ENROLL_BYTES_MAX = 64 * 1024;

/** The certificates that agents pin (DER in base64), the one in use first. */
export const pinsSchema = z.array(z.base64().max(4096)).min(1).max(4);

/** What a token says, as base64url of its JSON. */
export const tokenSchema = z.strictObject({
  version: z.literal(2),
  /** HOST:PORT of the enrolment listener. */
  enroll: z.string().max(300),
  /** HOST:PORT where batches go. */
  agents: z.string().max(300),
  /** All that the agent will trust: the hive's certificate and the one that will follow it. */
  pins: pinsSchema,
  /** 32 random bytes in base64url. */
  secret: z.base64url().length(43),
});
/** An enrolment token's content. */
export type EnrollmentToken = z.infer<typeof tokenSchema>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What an agent asks a challenge with: nothing of it is a secret. */
export const challengeRequestSchema = z.strictObject({
  /** SHA-256 of the token's secret. */
  tokenHash: sha256,
  /** SHA-256 of the public key (SPKI) that the certificate is to be for. */
  keyHash: sha256,
});

/** A challenge: enrolment costs the work that it asks for. */
export const challengeSchema = z.object({
  challenge: z.string().max(400),
  /** Leading zero bits of its proof. */
  difficulty: z.int().min(0).max(DIFFICULTY_MAX),
  /** Unix time in milliseconds. */
  expiresMs: z.int(),
});

/** What an agent asks with. */
export const enrollRequestSchema = z.strictObject({
  secret: z.base64url().length(43),
  /** PKCS #10 request (PEM, RFC 7468), signed by the agent's new key. */
  request: z.string().max(16_384),
  hostId: sha256,
  /** Shown to people: without control characters. */
  hostName: z.string().regex(/^\P{Cc}{1,253}$/u),
  /** As it was given. */
  challenge: z.string().max(400),
  /** Its solution, 8 bytes in base64url. */
  solution: z.base64url().length(11),
});
/** An enrolment request. */
export type EnrollRequest = z.infer<typeof enrollRequestSchema>;

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);

/** Whose orders an agent takes. */
export const orderTrustSchema = z.object({
  /** Fleet, 32 hexadecimal digits. */
  fleet: z.string().regex(/^[0-9a-f]{32}$/),
  /** Public half of the directive key, 64 hexadecimal digits. */
  directiveKey: hex32,
  /** Of the stop key; null = there is none yet. */
  stopKey: hex32.nullable(),
});
/** The same as a type. */
export type OrderTrust = z.infer<typeof orderTrustSchema>;
/** Longest body of a request for the next certificate, in bytes. */
export const RENEW_BYTES_MAX = 32 * 1024;

/** What an agent asks with for its next certificate: who it is, the one in use says. */
export const renewRequestSchema = z.strictObject({
  /** PKCS #10 request (PEM, RFC 7468), signed by the agent's new key. */
  request: z.string().max(16_384),
});

/** What an agent gets for its next request. */
export const renewResponseSchema = z.object({
  /** Its certificate (PEM). */
  certificate: z.string(),
  pins: pinsSchema,
});
/** A renewed certificate. */
export type RenewResponse = z.infer<typeof renewResponseSchema>;

/** Answer to a question for the pins. */
export const pinsResponseSchema = z.object({ pins: pinsSchema });

/** What an agent gets. */
export const enrollResponseSchema = z.object({
  agentId: z.uuid(),
  /** Its certificate (PEM). */
  certificate: z.string(),
  /** Id of the fleet that it is in now. */
  fleetId: z.uuid(),
  /** Absent where the hive gives no orders. */
  orders: orderTrustSchema.optional(),
});

/** What an agent gets (202) when an operator has to approve, and sends to ask again. */
export const ticketSchema = z.strictObject({
  /** 32 random bytes in base64url. */
  ticket: z.base64url().length(43),
});
/** An enrolment. */
export type EnrollResponse = z.infer<typeof enrollResponseSchema>;

/** Answer to a batch: everything up to `position` of that journal is durable. */
export const acknowledgementSchema = z.object({
  journalId: z.string().regex(/^[0-9a-f]{32}$/),
  position: z.int().nonnegative(),
  /** `pinSetId` of what agents are to pin; absent where a hive does not say. */
  pins: z.string().regex(/^[0-9a-f]{64}$/).optional(),
});
