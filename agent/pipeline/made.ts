// Records that the agent makes itself and that rules judge: lines of logs, and what was done to it.
// The engine knows no classes for them; they are judged as flat events.

import {
  decodeRecord,
  type EcsContext,
  ecsDocument,
  type RecordView,
} from "../../common/record/mod.ts";
import { KEYWORDS_FIELD } from "../../common/sigma/criterion.ts";
import { fieldValue, type JsonObject } from "../../common/sigma/event_value.ts";
import { type LogSource, logSourceBits } from "../../common/sigma/log_source.ts";
import { encodeFlat, type Engine } from "../../wasm/engine/mod.ts";
import type { PipelineRules } from "./rules_in_force.ts";

/** A record that the agent made. */
export interface MadeRecord {
  /** The record as it is kept. */
  readonly bytes: Uint8Array;
  /** The same before values of it were masked: rules judge this one. Default: `bytes`. */
  readonly plain?: Uint8Array;
  /** Log sources of rules that it belongs to. */
  readonly sources: readonly LogSource[];
  /** Fields that rules may name and an ECS document does not have. */
  readonly fields: Readonly<Record<string, string>>;
  /** True when it is kept only if a rule fires on it. */
  readonly onlyIfFound: boolean;
}

/**
 * The rules that fire on a record.
 *
 * @param made The record.
 * @param options Engine and rules in force; the context of the document.
 * @returns Places in the rule set, ascending.
 */
export function judgeMade(
  made: MadeRecord,
  { engine, rules, context }: {
    readonly engine: Engine;
    readonly rules: PipelineRules;
    readonly context: EcsContext;
  },
): readonly number[] {
  const bits = bitsOf(made.sources, rules);
  if (bits.every((byte) => byte === 0)) return [];
  const event = eventOf(decodeRecord(made.plain ?? made.bytes), context);
  // A log's own name of a field may be that of a part of the document: sudo's `user`.
  const values = rules.fields.map((field) =>
    Object.hasOwn(made.fields, field) ? made.fields[field] : fieldValue(event, field)
  );
  const length = encodeFlat(values, engine.batch, { logSources: bits });
  return engine.scan(length).map(({ rule }) => rule).filter((rule) => rule < rules.rules.length)
    .sort((a, b) => a - b);
}

/** As `KEYWORDS_FIELD` the line alone: what the document adds is not in the log. */
function eventOf(record: RecordView, context: EcsContext): JsonObject {
  const document = ecsDocument(record, context);
  return {
    ...document,
    [KEYWORDS_FIELD]: document.message ?? document.tamper?.detail ?? "",
  };
}

function bitsOf(sources: readonly LogSource[], { logSources }: PipelineRules): Uint8Array {
  const bits = new Uint8Array(Math.ceil(logSources.length / 8));
  for (const source of sources) {
    logSourceBits(logSources, source).forEach((byte, i) => bits[i] = (bits[i] ?? 0) | byte);
  }
  return bits;
}
