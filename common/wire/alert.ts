import { z } from "zod";
import type { EcsDocument } from "../record/ecs.ts";
import { type Level, SEVERITIES } from "../sigma/severity.ts";

/** An alert: a rule fired on a record. Nested JSON, ECS where ECS has a name for it. */
export interface Alert extends Omit<EcsDocument, "@timestamp" | "event"> {
  /** Hash of rule and record: the same finding has the same id. */
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly rule: {
    readonly id: string;
    readonly title: string;
    readonly description?: string;
    readonly tags?: readonly string[];
    /** SHA-256 of the rule set that it was found under. */
    readonly ruleset?: string;
  };
  readonly severity: Level;
  readonly event: Partial<Omit<EcsDocument["event"], "kind">> & {
    readonly kind: "alert";
    readonly action: string;
  };
}

/** What an alert must have, wherever it comes from; members that are not known are kept. */
export const alertSchema = z.looseObject({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  time: z.iso.datetime(),
  host: z.looseObject({ id: z.string(), name: z.string() }),
  rule: z.looseObject({ id: z.string(), title: z.string() }),
  severity: z.enum(Object.keys(SEVERITIES) as Level[]),
  event: z.looseObject({ kind: z.literal("alert"), action: z.string() }),
  process: z.looseObject({
    pid: z.int().nonnegative(),
    entity_id: z.string().optional(),
    executable: z.string().optional(),
    command_line: z.string().optional(),
    parent: z.looseObject({
      pid: z.int().nonnegative(),
      executable: z.string().optional(),
    }).optional(),
  }).optional(),
});
