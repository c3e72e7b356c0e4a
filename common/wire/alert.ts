import * as z from "zod";
import type { EcsDocument } from "../record/ecs.ts";
import { type Level, SEVERITIES } from "../sigma/severity.ts";

/** What a correlation found, in an alert of its own. */
export interface AlertCorrelation {
  /** As `event_count`. */
  readonly type: string;
  /** What the hits have in common: value by name. */
  readonly group: Readonly<Record<string, string>>;
  /** The value that met the condition. */
  readonly value: number;
  /** Hits in the window. */
  readonly hits: number;
  /** Time of the first and the last of them, RFC 3339, UTC. */
  readonly first: string;
  readonly last: string;
  /** The hits by time, 64 of them at most. */
  readonly members: readonly AlertCorrelationMember[];
}

/** A hit that a correlation is made of. */
export interface AlertCorrelationMember {
  /** Id of the rule or correlation that was hit. */
  readonly rule: string;
  /** On a host, boot id, epoch, source and sequence of the record; in the fleet, the alert's id. */
  readonly event: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  /** In the fleet, the host of that alert. */
  readonly host?: { readonly id: string; readonly name: string };
}

/** A value that somebody listed, as ECS has it in `threat.enrichments`. */
export interface AlertEnrichment {
  readonly indicator: {
    /** As `file`, `ipv4-addr`, `domain-name`. */
    readonly type: string;
    /** The listed value. */
    readonly name: string;
    /** Who lists it. */
    readonly provider: string;
    /** Its id there. */
    readonly reference: string;
    readonly description?: string;
    /** 0 to 100, as text. */
    readonly confidence?: string;
    /** RFC 3339, UTC. */
    readonly first_seen: string;
    readonly sightings: number;
  };
  readonly matched: {
    /** The value that the event has. */
    readonly atomic: string;
    /** Path of the field that has it. */
    readonly field: string;
    readonly id: string;
    readonly type: "indicator_match_rule";
  };
}

/** Who lists the value that an alert was raised for, the most severe first. */
export interface AlertThreat {
  readonly enrichments: readonly AlertEnrichment[];
}

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
  /** For the alert of a correlation; its event is the one that completed it. */
  readonly correlation?: AlertCorrelation;
  /** For a listed value; its rule is then the indicator. */
  readonly threat?: AlertThreat;
}

/** What an alert must have, wherever it comes from; members that are not known are kept. */
export const alertSchema = z.looseObject({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  time: z.iso.datetime(),
  host: z.looseObject({ id: z.string(), name: z.string() }),
  rule: z.looseObject({ id: z.string(), title: z.string() }),
  severity: z.enum(Object.keys(SEVERITIES) as Level[]),
  event: z.looseObject({ kind: z.literal("alert"), action: z.string() }),
  correlation: z.looseObject({
    type: z.string(),
    group: z.record(z.string(), z.string()),
    value: z.number(),
    hits: z.int().nonnegative(),
    first: z.iso.datetime(),
    last: z.iso.datetime(),
    members: z.array(z.looseObject({
      rule: z.string(),
      event: z.string(),
      time: z.iso.datetime(),
      host: z.looseObject({ id: z.string(), name: z.string() }).optional(),
    })),
  }).optional(),
  threat: z.looseObject({
    enrichments: z.array(z.looseObject({
      indicator: z.looseObject({ type: z.string(), name: z.string(), provider: z.string() }),
      matched: z.looseObject({ atomic: z.string(), field: z.string() }),
    })),
  }).optional(),
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
