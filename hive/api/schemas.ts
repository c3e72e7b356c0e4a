import { z } from "@hono/zod-openapi";
import { errorSchema } from "../../common/link/protocol.ts";
import { type Level, SEVERITIES } from "../../common/sigma/rule.ts";
import { alertSchema } from "../../common/wire/alert.ts";
import { DURATION } from "./duration.ts";

/** Most objects of one answer. */
export const PAGE_MAX = 1000;
/** Objects of one answer when the query does not say. */
export const PAGE_DEFAULT = 100;

/** How many objects an answer may have. */
export const pageLimit = z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT)
  .openapi({ description: "at most this many" });
const last = z.string().regex(DURATION, "must be a number with s, m, h or d, such as 24h");
const count = z.int().nonnegative();
const counts = z.record(z.string(), count);
const hostId = z.string().regex(/^[0-9a-f]{64}$/, "must be a host id of 64 hexadecimal digits");

/** Query of `GET /api/v1/alerts`. */
export const alertsQuery = z.strictObject({
  last: last.optional().openapi({ description: "how far back", example: "24h" }),
  severity: z.enum(Object.keys(SEVERITIES) as Level[]).optional(),
  host: hostId.optional(),
  limit: pageLimit,
  before: z.string().min(1).max(200).optional()
    .openapi({ description: "`next` of the answer before" }),
});

/** Query of `GET /api/v1/events`. */
export const eventsQuery = z.strictObject({
  last: last.default("5m").openapi({ description: "how far back", example: "5m" }),
  host: hostId.optional(),
  action: z.string().regex(/^[a-z_0-9]{1,32}$/).optional()
    .openapi({ description: "`event.action`, such as exec or connect" }),
  limit: pageLimit,
});

/** Path of `GET /api/v1/alerts/{id}`. */
export const alertPath = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits"),
});

/** What became of what was seen. */
const outcomes = {
  seen: count,
  submitted: count,
  filtered: count.openapi({ description: "no rule could need them" }),
  folded: count.openapi({ description: "over a limit of their process or cgroup" }),
  ringFull: count,
  oversized: count,
  unreadable: count,
};
const programs = z.array(z.object({ program: z.string(), count }));

/** What sensors counted of the events that their hooks saw. */
const sensorSchema = z.object({
  kinds: z.array(z.object({ kind: z.string(), ...outcomes }))
    .openapi({ description: "seen = the sum of the others" }),
  places: z.array(
    z.object({
      kind: z.string(),
      cpu: count.nullable().openapi({ description: "null for what is made in user space" }),
      part: z.string().nullable().openapi({ description: "what makes it there" }),
      ...outcomes,
    }),
  ).openapi({ description: "where records were lost, from the first that was" }),
  tables: z.array(z.object({ table: z.string(), ...outcomes })).openapi({
    description: "what a sensor's tables were asked to hold: ringFull found no room",
  }),
  missed: programs.openapi({ description: "runs of a program that the kernel left out" }),
  detached: programs.openapi({ description: "times that a program was found not attached" }),
  tiers: z.array(
    z.object({
      tier: z.enum(["lsm", "cgroup", "fanotify", "signal"]),
      hosts: count.openapi({ description: "hosts on which it is in force, as they last said" }),
      judged: count.openapi({ description: "acts that an entry could be for" }),
      refused: count,
      monitored: count,
      capped: count.openapi({ description: "went on, over the policy's actions a minute" }),
      failed: count,
    }),
  ).openapi({ description: "what the tiers of enforcement did" }),
});

/** What a hive is doing. */
export const statusSchema = z.object({
  version: z.string(),
  startedAt: z.iso.datetime(),
  agents: z.object({ enrolled: count, online: count }),
  records: count.openapi({ description: "records stored" }),
  events: count.openapi({ description: "of them, those that a kernel made" }),
  alertsToday: count.openapi({ description: "alerts since midnight UTC" }),
  activePatterns: count.nullable()
    .openapi({ description: "rules in force on the agent online that has most; null = not known" }),
  sensor: sensorSchema,
}).openapi("Status");

/** All agents with their ledgers. */
export const agentsSchema = z.object({
  agents: z.array(
    z.object({
      id: z.string(),
      hostId: z.string(),
      hostName: z.string(),
      enrolledAt: z.string(),
      lastSeenAt: z.string().nullable(),
      revoked: z.boolean(),
      tags: z.array(z.string()).openapi({ description: "words that its token gave it" }),
      rules: count.nullable().openapi({ description: "rules in force; null = not known yet" }),
      ruleSet: z.string().nullable().openapi({ description: "SHA-256 of the rule image" }),
      online: z.boolean(),
      ledger: z.object({
        position: count,
        made: count,
        stored: count,
        lost: count,
        certain: z.boolean(),
        losses: z.array(z.object({ cause: z.string(), count, certain: z.boolean() })),
      }).openapi({ description: "made = stored + lost by cause" }),
      sensor: sensorSchema,
    }).openapi("Agent"),
  ),
});

/** One alert. Made anew: schemas take names only once the description's library is there. */
export const describedAlert = z.looseObject(alertSchema.shape).openapi("Alert");

/** A page of alerts. */
export const alertsSchema = z.object({
  alerts: z.array(describedAlert),
  next: z.string().nullable().openapi({ description: "for `before`; null = this was the last" }),
});

/** Events, newest block first. */
export const eventsSchema = z.object({
  events: z.array(
    z.looseObject({
      "@timestamp": z.string(),
      event: z.looseObject({ action: z.string() }),
      host: z.looseObject({ id: z.string(), name: z.string() }),
    }).openapi("Event"),
  ),
  truncated: z.boolean().openapi({ description: "more match than were looked at" }),
});

/** Totals. */
export const statsSchema = z.object({
  agents: count,
  records: count,
  events: count.openapi({ description: "of the records, those that a kernel made" }),
  eventsByMinute: z.array(z.object({ minuteMs: z.int(), events: count })),
  scans: z.object({ timeNs: count, scans: z.array(count) })
    .openapi({ description: "scans of all agents by class of duration, and their time" }),
  alertsBySeverity: counts,
  alertsToday: count,
  lossesByCause: counts,
  turnedAway: z.object({ repeated: count, gaps: count, alerts: count, appends: count })
    .openapi({ description: "what the store turned away since the hive started" }),
  refused: counts.openapi({ description: "what the agents' port turned away, by reason" }),
  detection: z.object({
    alerts: count.openapi({ description: "alerts of agents that were looked at" }),
    ahead: count.openapi({ description: "of them, those whose time lay ahead of the hive's" }),
    raised: count.openapi({ description: "alerts of the hive's own" }),
    correlations: count.openapi({ description: "correlations over hosts in force" }),
    groups: count.openapi({ description: "groups whose windows are kept" }),
    bytes: count.openapi({ description: "reckoned size of the windows" }),
    matchesDropped: count,
    rules: z.record(z.string(), counts).openapi({ description: "counters of each correlation" }),
  }).nullable().openapi({ description: "correlation over hosts; null = this hive does none" }),
}).openapi("Stats");

/** A one-time login link. */
export const loginLinkSchema = z.object({
  path: z.string().openapi({ description: "path and query on this address" }),
  expiresInSeconds: count,
});

/** What every error looks like. */
export const apiErrorSchema = z.object(errorSchema.shape).openapi("Error");
