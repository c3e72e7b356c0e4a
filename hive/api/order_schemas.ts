import { z } from "@hono/zod-openapi";
import { orderSchema, stopKeySchema } from "../command/schemas.ts";
import type { Action, ApiObject } from "../operators/mod.ts";
import { DURATION } from "./duration.ts";
import { reasonSchema } from "./two_person.ts";

/** Where packs of rules go: the one route that takes a long body. */
export const PACKS_PATH = "/api/v1/rule-packs";
/** What whoever sends one has to be allowed. */
export const PACKS_NEED: readonly [Action, ApiObject] = ["create", "directives"];

const count = z.int().nonnegative();
const hostId = z.string().regex(/^[0-9a-f]{64}$/, "must be a host id of 64 hexadecimal digits");
const number = z.int().positive();
const stream = z.enum(["directive", "canary", "stop"]);

/** An order, and for whom. */
export const directiveRequest = z.strictObject({
  order: orderSchema,
  host: hostId.optional().openapi({ description: "host id; default: every host" }),
  valid: z.string().regex(DURATION, "must be a number with s, m, h or d, such as 60s").optional()
    .openapi({ description: "how long it holds; default 60s", example: "60s" }),
  reason: reasonSchema,
});

/** A directive that went out. */
export const sentSchema = z.object({ stream, number, expiresAt: z.iso.datetime() });

/** A directive with counts of what became of it. */
export const directiveSchema = z.object({
  stream,
  number,
  kind: z.string(),
  host: hostId.nullable().openapi({ description: "null = every host" }),
  issuedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  by: z.string(),
  results: z.object({ done: count, failed: count, refused: count }),
}).openapi("Directive");

/** Directives, newest first. */
export const directivesSchema = z.object({ directives: z.array(directiveSchema) });

/** Which directives. */
export const directivesQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(256).default(50),
});

/** One directive. */
export const directivePath = z.object({
  stream: z.enum(["directive", "stop"]),
  number: z.coerce.number().int().positive(),
});

/** What became of a directive on one host. */
export const outcomeSchema = z.object({
  agentId: z.string(),
  hostName: z.string(),
  outcome: z.enum(["done", "failed", "refused"]),
  cause: z.string().nullable(),
  text: z.string().openapi({ description: "what the agent found to be true afterwards" }),
  heardAt: z.iso.datetime(),
}).openapi("DirectiveOutcome");

/** What became of it, host by host. */
export const outcomesSchema = z.object({ outcomes: z.array(outcomeSchema) });

/** A pack of rules that is kept. */
export const packSchema = z.object({ pack: z.string().openapi({ description: "its SHA-256" }) });

/** Which pack. */
export const packPath = z.object({ pack: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256") });

/** What is in a pack. */
export const packFilesSchema = z.object({
  version: z.literal(1),
  files: z.array(z.object({ name: z.string(), text: z.string() })),
}).openapi("RulePack");

/** Another stop key. */
export const stopKeyRequest = z.strictObject({
  facts: stopKeySchema,
  signature: z.string().regex(/^[0-9a-f]{128}$/).nullable()
    .openapi({ description: "of the stop key before it; null where there is none" }),
  reason: reasonSchema,
});

/** What the holders signed. */
export const stopRequest = z.strictObject({
  directive: z.base64().max(1024),
  reason: reasonSchema,
});

/** How the kill switch stands. */
export const killSwitchSchema = z.object({
  fleet: z.string(),
  stopKey: z.object(stopKeySchema.shape).nullable(),
  last: directiveSchema.nullable().openapi({ description: "what was signed last" }),
  uses: z.array(directiveSchema.extend({ action: z.enum(["stop", "drill", "lift"]) }))
    .openapi({ description: "what was signed, newest first" }),
  agents: z.array(z.object({
    agentId: z.string(),
    hostName: z.string(),
    hostId,
    stopped: z.boolean(),
    canary: z.enum(["fresh", "warned", "lost"]),
    refused: z.record(z.string(), count),
    heardAt: z.iso.datetime().nullable(),
  })),
}).openapi("KillSwitch");
