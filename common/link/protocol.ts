import { z } from "zod";

/** Port where agents deliver, mutual TLS. */
export const AGENTS_PORT = 9998;
/** Port of operators' API and console. */
export const CONSOLE_PORT = 9999;
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
  /** POST: what became of directives. */
  results: "/v1/results",
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

/** What a token says, as base64url of its JSON. The secret in it is used up by one enrolment. */
export const tokenSchema = z.strictObject({
  version: z.literal(1),
  /** HOST:PORT of the enrolment listener. */
  enroll: z.string().max(300),
  /** HOST:PORT where batches go. */
  agents: z.string().max(300),
  /** The hive's server certificate (DER) in base64: the only anchor that the agent will trust. */
  certificate: z.base64(),
  /** 32 random bytes in base64url. */
  secret: z.base64url().length(43),
});
/** An enrolment token's content. */
export type EnrollmentToken = z.infer<typeof tokenSchema>;

/** What an agent asks with. */
export const enrollRequestSchema = z.strictObject({
  secret: z.base64url().length(43),
  /** PKCS #10 request (PEM, RFC 7468), signed by the agent's new key. */
  request: z.string().max(16_384),
  hostId: z.string().regex(/^[0-9a-f]{64}$/),
  hostName: z.string().min(1).max(253),
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

/** What an agent gets. */
export const enrollResponseSchema = z.object({
  agentId: z.uuid(),
  /** Its certificate (PEM). */
  certificate: z.string(),
  /** Absent where the hive gives no orders. */
  orders: orderTrustSchema.optional(),
});
/** An enrolment. */
export type EnrollResponse = z.infer<typeof enrollResponseSchema>;

/** Answer to a batch: everything up to `position` of that journal is durable. */
export const acknowledgementSchema = z.object({
  journalId: z.string().regex(/^[0-9a-f]{32}$/),
  position: z.int().nonnegative(),
});

/** Every error answer of the hive. */
export const errorSchema = z.object({
  error: z.object({
    /** A code of common/config/errors.ts. */
    code: z.string(),
    message: z.string(),
    /** With `BATCH_GAP`: the first position that would be taken. */
    expected: z.int().optional(),
  }),
});
