import * as z from "zod";
import {
  CANARY_STATES,
  DIRECTIVE_KIND_NAMES,
  type DirectiveKind,
  POLICY_OPENS,
  POLICY_WATCHES_MAX,
  REFUSAL_CAUSES,
  RESULT_TEXT_MAX,
  RESULTS_MAX,
  WAKE_INTERVAL_MAX_US,
} from "../../common/wire/mod.ts";

const hex = (bytes: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${2 * bytes} hex digits`);
const count = z.int().nonnegative();
const path = z.string().max(1024).startsWith("/").refine((text) => !text.includes("\0"));

/** What an operator may ask for, and nothing else. */
export const orderSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("rules"),
    body: z.strictObject({ pack: hex(32).nullable() }),
  }),
  z.strictObject({
    kind: z.literal("policy"),
    body: z.strictObject({
      open: z.enum(POLICY_OPENS).nullable(),
      wakeIntervalUs: z.int().min(0).max(WAKE_INTERVAL_MAX_US).nullable(),
      watch: z.array(path).max(POLICY_WATCHES_MAX).nullable(),
    }),
  }),
]);
/** An order. */
export type Order = z.infer<typeof orderSchema>;

/** What an agent posts about orders. */
export const reportSchema = z.strictObject({
  results: z.array(z.strictObject({
    sequence: count,
    stream: z.enum(["directive", "stop"]),
    number: z.int().positive(),
    kind: z.enum(DIRECTIVE_KIND_NAMES as [DirectiveKind, ...DirectiveKind[]]),
    outcome: z.enum(["done", "failed", "refused"]),
    cause: z.enum(REFUSAL_CAUSES).nullable(),
    text: z.string().max(RESULT_TEXT_MAX),
    timeMs: count,
  })).max(RESULTS_MAX),
  refused: z.record(z.enum(REFUSAL_CAUSES), count),
  stopped: z.boolean(),
  canary: z.enum(CANARY_STATES),
});

/** What is published of a stop key. */
export const stopKeySchema = z.strictObject({
  version: z.literal(1),
  publicKey: hex(32),
  set: hex(4),
  holders: z.int().min(2).max(10),
  threshold: z.int().min(2).max(10),
  shareHashes: z.array(hex(32)).min(2).max(10),
}).refine(
  ({ holders, threshold, shareHashes }) => threshold <= holders && shareHashes.length === holders,
  "must have a hash for each holder, and no more needed than there are",
);
