import { z } from "@hono/zod-openapi";
import {
  ANTIBODY_ACTIONS,
  ANTIBODY_LIFETIME_MS_MAX,
  ANTIBODY_RULE_BYTES_MAX,
  ANTIBODY_TYPES,
} from "../../common/herd/antibody.ts";
import { GENESIS_BYTES_MAX } from "../herd/mod.ts";

const count = z.int().nonnegative();
const alertId = z.string().regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits");

/** An agent's standing. */
export const standingSchema = z.object({
  agentId: z.string(),
  hostName: z.string(),
  trust: z.number().min(0).max(1),
  vouchers: count,
  genesis: z.boolean(),
  state: z.enum(["newcomer", "member", "suspect", "blacklisted"]),
  counts: z.boolean().openapi({ description: "in a quorum, as a voucher, as a reporter" }),
}).openapi("Standing");

/** The standing of all agents. */
export const standingsSchema = z.object({ agents: z.array(standingSchema) });

/** An antibody. */
export const antibodySchema = z.object({
  id: z.string(),
  type: z.enum(ANTIBODY_TYPES),
  value: z.string(),
  action: z.enum(ANTIBODY_ACTIONS),
  reason: z.string(),
  evidence: z.array(z.string()).openapi({ description: "alerts that it was born of" }),
  stage: z.enum(["proposed", "canary", "all", "pulled", "expired"]),
  since: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  proposedBy: z.string().nullable().openapi({ description: "an agent; null = an analyst" }),
  confirmed: z.boolean().openapi({ description: "an analyst took the brake off" }),
  checked: z.boolean().openapi({ description: "no host has it as something ordinary" }),
  why: z.string().openapi({ description: "why it was pulled back" }),
  supporters: count,
  objectors: count,
  quorum: count.openapi({ description: "supporters that are needed now" }),
}).openapi("Antibody");

/** All antibodies. */
export const antibodiesSchema = z.object({ antibodies: z.array(antibodySchema) });

/** An analyst's antibody. */
export const antibodyRequest = z.strictObject({
  type: z.enum(ANTIBODY_TYPES),
  value: z.string().min(1).max(ANTIBODY_RULE_BYTES_MAX),
  action: z.enum(ANTIBODY_ACTIONS),
  reason: z.string().max(200),
  evidence: z.array(alertId).min(1).max(16),
  hours: z.int().min(1).max(ANTIBODY_LIFETIME_MS_MAX / 3_600_000)
    .openapi({ description: "how long it is to hold" }),
  confirmed: z.boolean().default(false)
    .openapi({ description: "its matches are right: no look at ordinary events, no brake" }),
});

/** Why an antibody is pulled back. */
export const pullRequest = z.strictObject({
  why: z.string().min(1).max(200),
  isFalse: z.boolean().openapi({ description: "who stood for it loses trust" }),
});

/** A signed genesis set. */
export const genesisRequest = z.strictObject({
  signed: z.string().max(GENESIS_BYTES_MAX),
});

/** What an analyst makes of an alert. */
export const verdictRequest = z.strictObject({ isTrue: z.boolean() });

/** Path of an agent. */
export const agentPath = z.object({ id: z.uuid() });
/** Path of an antibody or alert. */
export const hexPath = z.object({ id: alertId });
