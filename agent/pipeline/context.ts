import type { ContextBatch } from "../../common/journal/mod.ts";
import { encodeRecord, SOURCES } from "../../common/record/mod.ts";
import type { Engine, ProcessRow } from "../../wasm/engine/mod.ts";
import { type PipelineRules, roleRecords } from "./rules_in_force.ts";
import { userRecords } from "./users.ts";

/** Bytes of one batch of context records. */
const CONTEXT_BATCH_BYTES = 256 * 1024;

/** What context records are made from. */
export interface ContextSources {
  readonly engine: Engine;
  readonly users: ReadonlyMap<number, string>;
  /** The rule set in force. */
  readonly rules: Pick<PipelineRules, "hash" | "roles">;
  /** Nanoseconds since boot, now. */
  readonly timeNs: bigint;
}

/**
 * What a journal segment needs to be read alone: the rule set, user names, and the processes that
 * live, parents before children.
 *
 * @param sources Engine, users and rule set.
 * @returns Batches of records.
 */
export function* contextBatches(sources: ContextSources): Generator<ContextBatch> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for (const record of contextRecords(sources)) {
    if (bytes + record.length > CONTEXT_BATCH_BYTES) {
      yield joined(parts, bytes);
      [parts, bytes] = [[], 0];
    }
    parts.push(record);
    bytes += record.length;
  }
  if (parts.length > 0) yield joined(parts, bytes);
}

function* contextRecords(sources: ContextSources): Generator<Uint8Array> {
  const { engine, users, rules, timeNs } = sources;
  yield encodeRecord("rule_set", {
    header: { source: SOURCES.agent, time_ns: timeNs },
    slots: { hash: rules.hash },
  });
  yield* roleRecords(rules.roles, timeNs);
  yield* userRecords(users, timeNs);
  for (const row of engine.processes()) yield processRecord(row, sources);
}

function processRecord(row: ProcessRow, { engine, timeNs }: ContextSources): Uint8Array {
  const { image, argv, cwd } = engine.program(row.program) ?? {};
  return encodeRecord("process", {
    header: {
      source: SOURCES.agent,
      time_ns: timeNs,
      pid: row.pid,
      tid: row.pid,
      start_time_ns: row.startNs,
      parent_pid: row.parentPid,
      parent_start_time_ns: row.parentStartNs,
      uid: row.uid,
      gid: row.gid,
      cgroup_id: row.cgroupId,
      session: row.session,
      role: row.role,
    },
    body: row.realUid === undefined ? {} : { real_uid: row.realUid },
    slots: {
      ...(image === undefined ? {} : { image }),
      ...(argv === undefined ? {} : { argv }),
      ...(cwd === undefined ? {} : { cwd }),
    },
  });
}

function joined(parts: readonly Uint8Array[], bytes: number): ContextBatch {
  const records = new Uint8Array(bytes);
  let offset = 0;
  for (const part of parts) {
    records.set(part, offset);
    offset += part.length;
  }
  return { records, recordCount: parts.length };
}
