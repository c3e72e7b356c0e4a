import * as z from "zod";
import {
  ANTIBODY_ACTIONS,
  ANTIBODY_EVIDENCE_MAX,
  ANTIBODY_LIFETIME_MS_MAX,
  ANTIBODY_REASON_BYTES_MAX,
  ANTIBODY_RULE_BYTES_MAX,
  ANTIBODY_TYPES,
} from "./antibody.ts";

/** Longest word of an agent, in bytes. */
export const HERD_WORD_BYTES_MAX = 16 * 1024;

const id = z.string().regex(/^[0-9a-f]{32}$/);

/**
 * What an agent may say to the herd, `POST /v1/herd`. Who says it is not in it: that is in the
 * certificate.
 */
export const herdWordSchema = z.discriminatedUnion("call", [
  z.strictObject({ call: z.literal("vouch"), of: z.uuid() }),
  z.strictObject({ call: z.literal("report"), of: z.uuid() }),
  z.strictObject({
    call: z.literal("propose"),
    entry: z.strictObject({
      type: z.enum(ANTIBODY_TYPES),
      value: z.string().max(ANTIBODY_RULE_BYTES_MAX),
    }),
    action: z.enum(ANTIBODY_ACTIONS),
    reason: z.string().max(ANTIBODY_REASON_BYTES_MAX),
    evidence: z.array(id).min(1).max(ANTIBODY_EVIDENCE_MAX),
    lifetimeMs: z.int().positive().max(ANTIBODY_LIFETIME_MS_MAX),
  }),
  z.strictObject({ call: z.literal("support"), antibodyId: id, alertId: id }),
  z.strictObject({ call: z.literal("object"), antibodyId: id }),
]);
/** A word of an agent. */
export type HerdWord = z.infer<typeof herdWordSchema>;
