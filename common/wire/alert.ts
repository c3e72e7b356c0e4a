import { z } from "zod";
import { type Level, SEVERITIES } from "../sigma/rule.ts";

const optionalText = z.string().optional();

const processSchema = z.looseObject({
  pid: z.int().nonnegative(),
  entity_id: optionalText,
  executable: optionalText,
  command_line: optionalText,
  parent: z.looseObject({ pid: z.int().nonnegative(), executable: optionalText }).optional(),
});

/**
 * An alert: a rule fired on a record. Nested JSON, ECS where ECS has a name for it. Unknown members
 * are kept, so that a newer agent's alerts pass an older hive.
 */
export const alertSchema = z.looseObject({
  /** Hash of rule and record: the same finding has the same id. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** RFC 3339, UTC. */
  time: z.iso.datetime(),
  host: z.object({ id: z.string(), name: z.string() }),
  rule: z.looseObject({
    id: z.string(),
    title: z.string(),
    tags: z.array(z.string()).optional(),
    /** SHA-256 of the rule set that it was found under. */
    ruleset: optionalText,
  }),
  severity: z.enum(Object.keys(SEVERITIES) as Level[]),
  event: z.looseObject({ kind: z.literal("alert"), action: z.string() }),
  process: processSchema.optional(),
});

/** An alert, see {@linkcode alertSchema}. */
export type Alert = z.infer<typeof alertSchema>;
