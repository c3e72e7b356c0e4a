import * as z from "zod";

/** People who have to stand behind what is asked for: whoever asks, and who approves. */
export const PEOPLE_NEEDED = 2;
/** How long a request waits, in milliseconds. */
export const APPROVAL_MS = 60 * 60_000;
/** Longest that a request may wait, in milliseconds. */
export const APPROVAL_MS_MAX = 7 * 24 * 60 * 60_000;
/** Most requests that wait at a time. */
export const APPROVALS_OPEN_MAX = 256;
/** Most requests that are kept, closed ones too; over it the oldest closed go. */
export const APPROVALS_MAX = 1000;
/** Most characters of what is asked for, as JSON. */
export const PAYLOAD_CHARACTERS_MAX = 16 * 1024;
/** Most characters of how the object stood. */
export const STANDING_CHARACTERS_MAX = 1024;
/** Most characters of a reason. */
export const REASON_CHARACTERS_MAX = 500;

/** Where a request stands. */
export const APPROVAL_STATES = [
  "open",
  "approved",
  "denied",
  "expired",
  "done",
  "failed",
] as const;

const personSchema = z.object({ id: z.string(), name: z.string() });

/** A request for approval, as the store keeps it. */
export const approvalSchema = z.object({
  id: z.uuid(),
  /** What is asked for: words with dots. */
  action: z.string(),
  /** Of what, for people to read. */
  object: z.string(),
  /** What else there is to know of it, for people to read. */
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default(
    {},
  ),
  /** How the object stood when it was asked for: what the people behind it have seen. */
  standing: z.string().default(""),
  /** Why. */
  reason: z.string(),
  /** What the act needs; its schema is the act's. */
  payload: z.unknown(),
  /** Who asks, as the audit log names it. */
  askedBy: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
  /** The person behind that; null = none, and then two others have to approve. */
  asker: personSchema.nullable(),
  askedAt: z.string(),
  expiresAt: z.string(),
  approvedBy: z.array(personSchema),
  state: z.enum(APPROVAL_STATES),
  /** Who denied it, or why it failed; null = neither. */
  outcome: z.string().nullable(),
});

/** A request for approval. */
export type Approval = z.infer<typeof approvalSchema>;

/**
 * People that are still missing.
 *
 * @param approval A request.
 */
export function peopleMissing({ asker, approvedBy }: Approval): number {
  return Math.max(0, PEOPLE_NEEDED - approvedBy.length - (asker === null ? 0 : 1));
}
